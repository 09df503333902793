// `pnpm bench`: every implementation in every case, side by side in one run. Table on the terminal and docs/benchmarks/results.json.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Group, groups } from './balancer/index.ts';
import { measureBalancer } from './balancer/rounds.ts';
import type { Case } from './case.ts';
import { cases } from './cases/index.ts';
import { implementations } from './implementations/index.ts';
import { Pair } from './pair.ts';
import { describeMachine } from './report/machine.ts';
import { writeResults } from './report/results-file.ts';
import { renderTable } from './report/table.ts';
import { runRounds } from './rounds.ts';
import { summarize } from './summary.ts';

const DEFAULT_ROUNDS = 5;
const USAGE = `usage: pnpm bench [--only case]... [--rounds n]
cases: ${[...cases, ...groups].map(({ name }) => name).join(', ')}`;

interface Options {
  readonly chosen: readonly Case[];
  readonly chosenGroups: readonly Group[];
  readonly rounds: number;
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string', multiple: true }, rounds: { type: 'string', default: String(DEFAULT_ROUNDS) } },
  });
  const all = [...cases, ...groups].map(({ name }) => name);
  const { only = all } = values;
  for (const name of only) {
    if (!all.includes(name)) throw new RangeError(`Expected a case, got '${name}'`);
  }
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError(`Expected --rounds to be a whole number from 1, got '${values.rounds}'`);
  }
  return {
    chosen: cases.filter(({ name }) => only.includes(name)),
    chosenGroups: groups.filter(({ name }) => only.includes(name)),
    rounds,
  };
}

async function main({ chosen, chosenGroups, rounds }: Options): Promise<void> {
  const machine = describeMachine();
  const all = await runRounds({
    cases: chosen,
    implementations,
    rounds,
    start: (implementation, benchCase) => new Pair(implementation, benchCase),
    onRound(round, { benchCase, implementation }) {
      const what = round === 0 ? 'warm-up' : `round ${round}/${rounds}`;
      process.stderr.write(`${benchCase.name}  ${what}  ${implementation.name}\n`);
    },
  });
  const ofBalancer = await measureBalancer(chosenGroups, chosenGroups.length > 0 ? rounds : 0, (round, what) => {
    process.stderr.write(`${what}  round ${round}/${rounds}\n`);
  });
  const summaries = [...summarize(all), ...ofBalancer];

  console.log(`\n${renderTable(summaries)}\n`);
  console.log(`bar, median of ${rounds}, speed against ${implementations[0].name}, slowest and fastest round`);
  for (const { name, version, note } of implementations) console.log(`${name} (${version}): ${note}`);
  const { cpu, cores, node, loadAverageBefore } = machine;
  console.log(`${cpu}, ${cores} cores, Node ${node}, load ${loadAverageBefore} before the start`);

  if (chosen.length + chosenGroups.length < cases.length + groups.length) {
    console.log('\nresults.json is left as it was: only a run of all cases writes it.');
    return;
  }
  const path = fileURLToPath(new URL('../../docs/benchmarks/results.json', import.meta.url));
  writeResults(path, { machine, rounds, implementations, summaries });
  console.log(`\n${path}`);
}

let options: Options | undefined;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`);
  process.exitCode = 2;
}
if (options !== undefined) await main(options);
