// `pnpm simulate`: runs each strategy, and those of other projects, while one of ten sessions has a problem. It uses a manual clock and
// seeds, so the figures in docs/explanation/balancing.md are the same everywhere. Writes docs/benchmarks/balancing.json.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { contenders } from './balancer/simulation/contenders.ts';
import { SESSIONS, scenarios, WORK } from './balancer/simulation/scenarios.ts';
import { simulate } from './balancer/simulation/simulate.ts';

const RUNS = 12;

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
const path = fileURLToPath(new URL('../../docs/benchmarks/balancing.json', import.meta.url));
const facts = { command: 'pnpm simulate', runs: RUNS, sessions: SESSIONS, workMs: WORK, scenarios: results };
writeFileSync(path, `${JSON.stringify(facts, rounded, 2)}\n`);
console.log(`\n${path}`);

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value;
}
