// The whole tunnel in one command: two gateways behind a load balancer, three agents and their origins, and real HTTP load. During the load a client stops
// reading, one agent is drained, one is killed, and both gateways restart. Every body is checked by hash. It ends with a table and a verdict.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Engine } from './demo/engine.ts';
import { type AgentSpec, Fleet, HOST, type Shape } from './demo/fleet.ts';
import { freePorts } from './demo/free-ports.ts';
import { fleetOnEngine, type Tell, twoGateways, workersOfMachine } from './demo/incidents.ts';
import { Load } from './demo/load.ts';
import { Progress } from './demo/progress.ts';
import { agentTable, type Incidents, judge, mebibytes, type Verdict, verdictText } from './demo/report.ts';
import { flags, run } from './program.ts';

const HELP = `Usage: demo [--fleet] [--once] [--logs]

  --once   end after the verdict, with exit code 1 if anything failed; so it does where the output is no terminal
  --fleet  three gateways, each of which serves the agents of all, on a redis-server; where the machine has none, three workers of one
           gateway: agents are at one gateway each, requests come to all
  --logs   print what the gateway and the agents log
  --help
`;

const AGENTS: readonly AgentSpec[] = [
  { agent: 'alpha', weight: 1 },
  { agent: 'bravo', weight: 2 },
  { agent: 'charlie', weight: 3 },
];
const CONCURRENCY = 12;
const MAX_REQUESTS = 20_000;

const FLAGS = {
  fleet: { type: 'boolean', default: false },
  once: { type: 'boolean', default: false },
  logs: { type: 'boolean', default: false },
} as const;

interface Story {
  readonly what: string;
  /** Undefined: two independent gateways. */
  readonly shape?: Shape;
  readonly run: (fleet: Fleet, load: Load, tell: Tell) => Promise<Incidents>;
  readonly end: () => Promise<void>;
}

/** Gateways of a fleet, and workers. */
const MANY = 3;
const nothing = (): Promise<void> => Promise.resolve();
const TWO_GATEWAYS: Story = { what: 'two gateways', run: twoGateways, end: nothing };

run(
  () => flags(HELP, FLAGS),
  async (values) => {
    const progress = new Progress(process.stdout);
    const story = values.fleet ? await fleetStory() : TWO_GATEWAYS;
    progress.tell(`starting ${story.what}, three agents of weight 1, 2 and 3, three origins …`);
    const fleet = await Fleet.start(AGENTS, values.logs, story.shape);
    const dashboards = fleet.gateways.map(({ admin }, index) => `dashboard of gateway ${index + 1}: ${admin}`);
    progress.tell(dashboards.join('\n'));

    progress.tell(`load: ${CONCURRENCY} requests at a time, 1 KiB to 64 MiB, every body checked by SHA-256`);
    const load = new Load({ url: fleet.url, host: HOST, concurrency: CONCURRENCY, maxRequests: MAX_REQUESTS });
    const ticker = setInterval(() => progress.show(stateOf(load)), 250);
    const incidents = await story.run(fleet, load, (text) => progress.tell(text));
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
    await story.end();
    for (const what of fleet.unclean) progress.tell(`FAILED: ${what}`);
    process.exitCode = verdict.passed && fleet.unclean.length === 0 ? 0 : 1;
  },
);

async function fleetStory(): Promise<Story> {
  const engine = await Engine.start();
  if (engine === undefined) {
    const args = ['--workers', String(MANY)];
    const shape = { gateways: [{ args, env: {} }], hasFront: false };
    return {
      what: `${MANY} workers of one gateway (no redis-server on PATH)`,
      shape,
      run: workersOfMachine,
      end: nothing,
    };
  }
  const env = { TUNNEL_PEER_SECRET: randomBytes(32).toString('base64url'), TUNNEL_FLEET: engine.url };
  const gateways = (await freePorts(MANY)).map((port) => ({ args: ['--peer-address', `127.0.0.1:${port}`], env }));
  return {
    what: `three gateways of one fleet on ${engine.url}; the third has no agent of its own`,
    shape: { gateways, dialedBy: (agent) => [agent % 2], hasFront: true },
    run: (fleet, load, tell) => fleetOnEngine(fleet, load, tell, engine),
    end: () => engine.kill(),
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
