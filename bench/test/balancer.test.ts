// Every picker picks, with few sessions and with many. No figure is checked.
import { describe, expect, test } from 'vitest';
import { groups, SIZES } from '../src/balancer/index.ts';
import { summarizeFigures } from '../src/summary.ts';

describe.each(groups)('$name', ({ pickers }) => {
  test.each(pickers)('$name runs the measured operation', async ({ make, largest }) => {
    for (const sessions of SIZES.filter((size) => size <= Math.min(largest, 1_000))) await make(sessions)(200);
  });
});

test('the names are those that the measuring process takes', () => {
  expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
  for (const { pickers } of groups) expect(new Set(pickers.map(({ name }) => name)).size).toBe(pickers.length);
});

test('figures become medians and ratios to the first', () => {
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
