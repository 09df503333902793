// `pnpm simulate [balancing] [fleet]`: simulations on a manual clock and with seeds, so the figures in docs/explanation are the same everywhere. Without a
// name all of them run; that of the fleet takes minutes.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { contenders } from './balancer/simulation/contenders.ts';
import { SESSIONS, scenarios, WORK } from './balancer/simulation/scenarios.ts';
import { simulate } from './balancer/simulation/simulate.ts';
import { scenarios as fleetScenarios, simulateFleet } from './fleet/simulation/scenarios.ts';
import type { Size } from './fleet/simulation/world.ts';

const RUNS = 12;
const FLEET: Size = { agents: 1_000_000, gateways: 100, requestsPerSecond: 5_000 };

/** Each strategy, and those of other projects, while one of ten sessions has a problem. */
async function balancing(): Promise<object> {
  const results = [];
  for (const scenario of scenarios) {
    const { name, title, rate } = scenario;
    console.log(`\n${title}: ${rate.toFixed(0)} requests a second`);
    const outcomes = [];
    for (const contender of contenders) {
      const outcome = await simulate(contender, scenario, RUNS);
      outcomes.push({ contender: contender.name, ...outcome });
      const { requests, errors, p50, p99, p999 } = outcome;
      const figures = [p50, p99, p999].map((ms) => ms.toFixed(0).padStart(7)).join('');
      console.log(`${contender.name.padEnd(30)}${figures}  ${((100 * errors) / requests).toFixed(2).padStart(6)} %`);
    }
    results.push({ name, title, rate, outcomes });
  }
  return { command: 'pnpm simulate', runs: RUNS, sessions: SESSIONS, workMs: WORK, scenarios: results };
}

/** What many agents at many gateways ask of their engine. */
async function fleet(): Promise<object> {
  const outcomes = [];
  for (const scenario of fleetScenarios) {
    const outcome = await simulateFleet(scenario, FLEET);
    outcomes.push(outcome);
    const { title, seconds, operations, mostOperations } = outcome;
    console.log(`${title}: ${operations} operations in ${seconds} s, ${mostOperations} in one second at most`);
  }
  return { command: 'pnpm simulate fleet', ...FLEET, scenarios: outcomes };
}

const subjects: Readonly<Record<string, () => Promise<object>>> = { balancing, fleet };
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(subjects);
const unknown = names.find((name) => subjects[name] === undefined);
if (unknown !== undefined) {
  console.error(`Expected ${Object.keys(subjects).join(' or ')}, got '${unknown}'`);
  process.exitCode = 2;
} else {
  for (const name of names) {
    const facts = await (subjects[name] as () => Promise<object>)();
    const path = fileURLToPath(new URL(`../../docs/benchmarks/${name}.json`, import.meta.url));
    writeFileSync(path, `${JSON.stringify(facts, rounded, 2)}\n`);
    console.log(`\n${path}`);
  }
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value;
}
