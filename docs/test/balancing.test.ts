// The tables in docs/explanation/balancing.md are those of `pnpm simulate`, which wrote balancing.json.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Outcome {
  readonly contender: string;
  readonly requests: number;
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

const { scenarios } = JSON.parse(read('docs/benchmarks/balancing.json')) as {
  readonly scenarios: readonly {
    readonly name: string;
    readonly title: string;
    readonly outcomes: readonly Outcome[];
  }[];
};
const page = read('docs/explanation/balancing.md');

test.each(scenarios)('the table of "$title" has what was simulated', ({ title, outcomes }) => {
  const [, section = ''] = page.split(`\n### ${title}\n`);
  const [own = ''] = section.split('\n#');
  const rows = own
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  expect(rows).toEqual(
    outcomes.map(({ contender, requests, errors, p50, p99, p999 }) => [
      contender,
      ...[p50, p99, p999].map((ms) => ms.toFixed(0)),
      `${((100 * errors) / requests).toFixed(2)} %`,
    ]),
  );
});

test.each(['slow', 'stalled'])('peak-ewma cuts the p99 of least-conn at least by half where one is %s', (name) => {
  const outcomes = scenarios.find((scenario) => scenario.name === name)?.outcomes ?? [];
  const p99 = (contender: string): number => outcomes.find((one) => one.contender === contender)?.p99 ?? Number.NaN;
  expect(p99('peak-ewma')).toBeLessThanOrEqual(p99('least-conn') / 2);
});
