// `pnpm bench`: every contender in every case, side by side in one run. Table on the terminal and docs/benchmarks/results.json.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Group, groups } from './balancer/index.ts';
import { measureBalancer } from './balancer/rounds.ts';
import { FLEET } from './fleet/index.ts';
import { fleetNames, measureFleet } from './fleet/rounds.ts';
import { buildGoYamux, goYamux } from './go-yamux.ts';
import { Pair } from './pair.ts';
import { describeMachine } from './report/machine.ts';
import { writeResults } from './report/results-file.ts';
import { renderTable } from './report/table.ts';
import { renderTargets } from './report/targets-table.ts';
import { runRounds, type Series } from './rounds.ts';
import { summarize } from './summary.ts';
import { targets } from './targets.ts';
import { type StreamTrial, trials } from './trials.ts';
import { TUNNEL } from './tunnel/index.ts';
import { measureTunnel, tunnelNames } from './tunnel/rounds.ts';
import { judge } from './verdicts.ts';

const DEFAULT_ROUNDS = 5;
const names = [
  ...[...trials.map(({ benchCase }) => benchCase), ...groups].map(({ name }) => name),
  ...tunnelNames,
  ...fleetNames,
];
const wholes = new Map([
  [TUNNEL, tunnelNames],
  [FLEET, fleetNames],
]);
const USAGE = `usage: pnpm bench [--only case]... [--rounds n]
cases: ${names.join(', ')}; ${TUNNEL} and ${FLEET} for all of theirs
BENCH_FRPS, BENCH_FRPC and BENCH_PIKO may name the programs of frp and of piko, to be measured beside the tunnel`;

interface Options {
  readonly chosen: readonly StreamTrial[];
  readonly chosenGroups: readonly Group[];
  readonly chosenOfTunnel: readonly string[];
  readonly chosenOfFleet: readonly string[];
  readonly isWhole: boolean;
  readonly rounds: number;
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string', multiple: true }, rounds: { type: 'string', default: String(DEFAULT_ROUNDS) } },
  });
  const only = values.only?.flatMap((name) => wholes.get(name) ?? name) ?? names;
  for (const name of only) {
    if (!names.includes(name)) throw new RangeError(`Expected a case, got '${name}'`);
  }
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError(`Expected --rounds to be a whole number from 1, got '${values.rounds}'`);
  }
  return {
    chosen: trials.filter(({ benchCase }) => only.includes(benchCase.name)),
    chosenGroups: groups.filter(({ name }) => only.includes(name)),
    chosenOfTunnel: tunnelNames.filter((name) => only.includes(name)),
    chosenOfFleet: fleetNames.filter((name) => only.includes(name)),
    isWhole: names.every((name) => only.includes(name)),
    rounds,
  };
}

async function main(options: Options): Promise<void> {
  const { chosen, chosenGroups, chosenOfTunnel, chosenOfFleet, isWhole, rounds } = options;
  const machine = describeMachine();
  const goIsMissing = await buildGoYamux();
  if (goIsMissing !== undefined) console.log(`${goYamux.name} is skipped: ${goIsMissing}`);
  const onRound = (round: number, { benchCase, contender }: Series): void => {
    const what = round === 0 ? 'warm-up' : `round ${round}/${rounds}`;
    process.stderr.write(`${benchCase.name}  ${what}  ${contender.name}\n`);
  };
  const ofStreams = await runRounds({
    trials: goIsMissing === undefined ? chosen : chosen.map(withoutGo),
    rounds,
    start: (contender, benchCase) => new Pair(contender, benchCase),
    onRound,
  });
  const ofTunnel = await measureTunnel({ names: chosenOfTunnel, rounds, onRound, onNote: console.log });
  const ofFleet = await measureFleet({ names: chosenOfFleet, rounds, onRound, onNote: console.log });
  const all = [...ofStreams, ...ofTunnel, ...ofFleet];
  const ofBalancer = await measureBalancer(chosenGroups, chosenGroups.length > 0 ? rounds : 0, (round, what) => {
    process.stderr.write(`${what}  round ${round}/${rounds}\n`);
  });
  const summaries = [...summarize(all), ...ofBalancer];
  const contenders = [...new Map(all.map(({ contender }) => [contender.name, contender])).values()];
  const verdicts = judge(targets, summaries);

  console.log(`\n${renderTable(summaries)}\n`);
  console.log(`bar, median of ${rounds}, speed against the first of the case, slowest and fastest round\n`);
  for (const { name, version, note } of contenders) {
    console.log(`${name}${version === '' ? '' : ` (${version})`}: ${note}`);
  }
  const { cpu, cores, node, loadAverageBefore } = machine;
  console.log(`${cpu}, ${cores} cores, Node ${node}, load ${loadAverageBefore} before the start`);
  if (verdicts.length > 0)
    console.log(`\ntargets: speed as measured, and as wanted\n${renderTargets(verdicts, summaries)}`);

  if (!isWhole) {
    console.log('\nresults.json is left as it was: only a run of all cases writes it.');
    return;
  }
  const path = fileURLToPath(new URL('../../docs/benchmarks/results.json', import.meta.url));
  writeResults(path, { machine, rounds, contenders, summaries, verdicts });
  console.log(`\n${path}`);
}

function withoutGo({ benchCase, contenders }: StreamTrial): StreamTrial {
  return { benchCase, contenders: contenders.filter((contender) => contender !== goYamux) };
}

let options: Options | undefined;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 2;
}
if (options !== undefined) await main(options);
