// Every picker picks, with few sessions and many. No figure is judged.
import { describe, expect, test } from 'vitest';
import { groups, SIZES } from '../src/balancer/index.ts';
import { summarizeFigures } from '../src/summary.ts';

describe.each(groups)('$name', ({ pickers }) => {
  test.each(pickers)('$name does what is measured', async ({ make, largest }) => {
    for (const sessions of SIZES.filter((size) => size <= Math.min(largest, 1_000))) await make(sessions)(200);
  });
});

test('the names are those by which the process that measures is told what to do', () => {
  expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
  for (const { pickers } of groups) expect(new Set(pickers.map(({ name }) => name)).size).toBe(pickers.length);
});

test('figures come to medians and ratios to the first', () => {
  const described = { name: 'x', title: 'X', unit: 'ns', better: 'lower' as const };
  const { results } = summarizeFigures(described, [
    { name: 'a', figures: [10, 30, 20] },
    { name: 'b', figures: [40] },
  ]);
  expect(results).toMatchObject([
    { implementation: 'a', median: 20, min: 10, max: 30, ratio: 1 },
    { implementation: 'b', median: 40, ratio: 0.5 },
  ]);
});
