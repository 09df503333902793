import { expect, test } from 'vitest';
import type { Case, Figure } from '../src/case.ts';
import { renderTable } from '../src/report/table.ts';
import type { Series } from '../src/rounds.ts';
import { summarize } from '../src/summary.ts';

const fast = caseOf({ name: 'bulk', title: 'bulk', unit: 'MiB/s', better: 'higher' });
const short = caseOf({ name: 'ping-pong', title: 'ping-pong', unit: 'µs', better: 'lower' });

function caseOf(...figures: Figure[]): Case {
  return { name: '', figures, load: {}, drive: async () => [] };
}

function series(benchCase: Case, name: string, figures: number[], failure?: string): Series {
  const rounds = figures.map((figure) => [figure]);
  const base = { benchCase, contender: { name, version: '', note: '' }, rounds };
  return failure === undefined ? base : { ...base, failure };
}

test('the median is the middle round, or the mean of the two in the middle', () => {
  const [summary] = summarize([series(fast, 'a', [9, 1, 5]), series(fast, 'b', [4, 1, 2, 100])]);
  expect(summary?.results).toEqual([
    { implementation: 'a', median: 5, min: 1, max: 9, ratio: 1, rounds: [9, 1, 5] },
    { implementation: 'b', median: 3, min: 1, max: 100, ratio: 0.6, rounds: [4, 1, 2, 100] },
  ]);
});

test('a ratio above 1 is faster than the first, whether more or less is better', () => {
  const summaries = summarize([
    series(fast, 'a', [100]),
    series(fast, 'b', [200]),
    series(short, 'a', [100]),
    series(short, 'b', [50]),
  ]);
  expect(summaries.map(({ results }) => results[1])).toMatchObject([{ ratio: 2 }, { ratio: 2 }]);
});

test('a contender without a figure is left out of it, and stays in the others', () => {
  const two = caseOf(fast.figures[0] as Figure, short.figures[0] as Figure);
  const rounds = [[1, Number.NaN]];
  const one: Series = { benchCase: two, contender: { name: 'a', version: '', note: '' }, rounds };
  const other: Series = { ...one, contender: { ...one.contender, name: 'b' }, rounds: [[2, 3]] };
  const named = summarize([one, other]).map(({ results }) => results.map(({ implementation }) => implementation));
  expect(named).toEqual([['a', 'b'], ['b']]);
});

test('a failed contender has no figure, and no ratio to it', () => {
  const [summary] = summarize([series(fast, 'a', [100], 'lost a byte'), series(fast, 'b', [200])]);
  expect(summary?.results).toEqual([
    { implementation: 'a', failure: 'lost a byte' },
    { implementation: 'b', median: 200, min: 200, max: 200, ratio: undefined, rounds: [200] },
  ]);
});

test('the best row has the longest bar, and the others are in proportion', () => {
  const all = [series(short, 'slow', [40]), series(short, 'quick', [20.04]), series(short, 'broken', [], 'no figure')];
  expect(renderTable(summarize(all)).split('\n')).toEqual([
    'ping-pong (µs, lower is better)',
    `  slow    ${'█'.repeat(12)}${' '.repeat(12)}      40.0   1.00×   40.0 … 40.0`,
    `  quick   ${'█'.repeat(24)}      20.0   2.00×   20.0 … 20.0`,
    '  broken  failed: no figure',
  ]);
});

test('a case with several figures has a summary for each', () => {
  const both = caseOf(
    { name: 'p50', title: '', unit: 'µs', better: 'lower' },
    { name: 'speed', title: '', unit: 'MiB/s', better: 'higher' },
  );
  const rounds = [
    [10, 500],
    [30, 700],
    [20, 600],
  ];
  const summaries = summarize([{ benchCase: both, contender: { name: 'a', version: '', note: '' }, rounds }]);
  expect(summaries.map(({ benchCase, results }) => [benchCase.name, results[0]])).toMatchObject([
    ['p50', { median: 20, min: 10, max: 30 }],
    ['speed', { median: 600, min: 500, max: 700 }],
  ]);
});
