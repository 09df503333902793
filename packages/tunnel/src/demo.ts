// The whole of it in one command: two gateways behind a front, three agents and their origins, real HTTP load through them, and while it
// runs a client that stops reading, a drained agent, a killed one, and a restart of both gateways. Every body is checked by hash. Ends with
// a table and a verdict.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentSpec, Fleet, HOST } from './demo/fleet.ts';
import { Load } from './demo/load.ts';
import { Progress } from './demo/progress.ts';
import { agentTable, type Incidents, judge, mebibytes, type Verdict, verdictText } from './demo/report.ts';
import { flags, run } from './program.ts';

const HELP = `Usage: demo [--once] [--logs]

  --once   end after the verdict, with exit code 1 if anything failed; so it does where the output is no terminal
  --logs   print what the gateway and the agents log
  --help
`;

const AGENTS: readonly AgentSpec[] = [
  { agent: 'alpha', weight: 1 },
  { agent: 'bravo', weight: 2 },
  { agent: 'charlie', weight: 3 },
];
const DRAINED = 'alpha';
const KILLED = 'charlie';

const CONCURRENCY = 12;
const MAX_REQUESTS = 20_000;
const STALL = 8_000;

const FLAGS = { once: { type: 'boolean', default: false }, logs: { type: 'boolean', default: false } } as const;

run(
  () => flags(HELP, FLAGS),
  async (values) => {
    const progress = new Progress(process.stdout);
    progress.tell('starting two gateways, three agents of weight 1, 2 and 3, three origins …');
    const fleet = await Fleet.start(AGENTS, values.logs);
    const dashboards = fleet.gateways.map(({ admin }, index) => `dashboard of gateway ${index + 1}: ${admin}`);
    progress.tell(dashboards.join('\n'));

    progress.tell(`load: ${CONCURRENCY} requests at a time, 1 KiB to 64 MiB, every body checked by SHA-256`);
    const load = new Load({ url: fleet.url, host: HOST, concurrency: CONCURRENCY, maxRequests: MAX_REQUESTS });
    const ticker = setInterval(() => progress.show(stateOf(load)), 250);
    const incidents = await disturb(fleet, load, progress);
    await load.stop();
    clearInterval(ticker);

    const verdict = judge(load.results, incidents);
    progress.tell(await summary(fleet, load, verdict));
    if (process.stdout.isTTY && !values.once) {
      const tries = [`curl ${fleet.url}/`, `curl -N ${fleet.url}/events`];
      progress.tell(['\nStill serving until Ctrl-C:', ...dashboards, ...tries].join('\n  '));
      await once(process, 'SIGINT');
    }
    await fleet.stop();
    for (const what of fleet.unclean) progress.tell(`FAILED: ${what}`);
    process.exitCode = verdict.passed && fleet.unclean.length === 0 ? 0 : 1;
  },
);

/** What happens to the fleet while the load runs. */
async function disturb(fleet: Fleet, load: Load, progress: Progress): Promise<Incidents> {
  await sleep(3_000);
  progress.tell(`a client asks for 64 MiB and reads nothing for ${STALL / 1000} s; the others must not notice`);
  load.add({ kind: 'download', size: 64 * 1024 * 1024, seed: 1, stall: STALL });

  await sleep(1_000);
  await fleet.command({ type: 'drain', agent: DRAINED });
  const drainedFrom = performance.now();
  progress.tell(`${DRAINED} is drained: what runs goes on, nothing new comes`);
  await sleep(4_000);
  const drainedUntil = performance.now();
  await fleet.command({ type: 'resume', agent: DRAINED });
  progress.tell(`${DRAINED} is back`);

  await sleep(3_000);
  const killedFrom = performance.now();
  await fleet.killAgent(KILLED);
  const killedUntil = performance.now();
  progress.tell(`${KILLED} was killed (SIGKILL), in the middle of its requests`);
  await sleep(2_000);
  await fleet.startAgent(KILLED);
  progress.tell(`${KILLED} is there again, as a new process`);

  await sleep(2_000);
  await fleet.restartGateways((text) => progress.tell(text));
  progress.tell('both gateways are there again, as new processes, with all their agents');

  await sleep(2_000);
  return {
    drained: { agent: DRAINED, from: drainedFrom, until: drainedUntil },
    killed: { agent: KILLED, from: killedFrom, until: killedUntil },
  };
}

function stateOf({ results }: Load): string {
  const whole = results.filter((result) => result.outcome === 'ok');
  const bytes = whole.reduce((sum, { job }) => sum + job.size, 0);
  const shares = AGENTS.map(({ agent }) => `${agent} ${results.filter((result) => result.agent === agent).length}`);
  return `${results.length} requests, ${mebibytes(bytes)} MiB, ${results.length - whole.length} errors | ${shares.join(', ')}`;
}

async function summary(fleet: Fleet, load: Load, verdict: Verdict): Promise<string> {
  const memory = [...(await fleet.measure())].map(([name, bytes]) => `${name} ${mebibytes(bytes)}`).join(', ');
  return [
    '',
    agentTable(AGENTS, load.results, verdict),
    '* bodies of at most 64 KiB, from the first byte sent to the last one checked',
    'most memory ever held, MiB:',
    `  ${memory}`,
    '',
    verdictText(verdict),
  ].join('\n');
}
