// Every case of the fleet is measured once, in processes of its own and for a moment. No figure is checked.
import { describe, expect, test } from 'vitest';
import { engineIsMissing } from '../../src/fleet/engine.ts';
import { fleetCases } from '../../src/fleet/index.ts';
import { FleetRun, measureFleet } from '../../src/fleet/rounds.ts';
import { targets } from '../../src/targets.ts';

const missing = engineIsMissing();
if (missing !== undefined) console.warn(`skipped: the cases that need an engine, ${missing}`);
const runs = fleetCases.filter(({ needsEngine }) => missing === undefined || needsEngine !== true);

test.each(runs)(
  '$name measures each of its figures',
  async (one) => {
    const run = new FleetRun(one);
    try {
      const outcome = await run.drive(100);
      const positive: unknown = expect.toSatisfy((figure: unknown) => Number.isFinite(figure));
      expect(outcome).toEqual({ figures: one.figures.map(() => positive) });
    } finally {
      await run.end();
    }
  },
  120_000,
);

describe('without an engine', () => {
  const path = process.env.PATH;

  test('what needs one is skipped with a word', async () => {
    process.env.PATH = '';
    try {
      const notes: string[] = [];
      const plan = { names: ['fleet-lookup', 'fleet-engine'], rounds: 1, onRound: () => {} };
      const all = await measureFleet({ ...plan, onNote: (note) => void notes.push(note) });
      expect(all).toEqual([]);
      expect(notes).toEqual(["fleet-lookup, fleet-engine: skipped, there is no 'redis-server'"]);
    } finally {
      process.env.PATH = path;
    }
  });
});

test('each target is for a figure that is measured', () => {
  const figures = new Set(fleetCases.flatMap((one) => one.figures.map(({ name }) => name)));
  const wanted = targets.filter(({ contender }) => contender === '@zishuo/yamux-fleet');
  expect(wanted.length).toBeGreaterThan(0);
  expect(wanted.map(({ figure }) => figure).filter((name) => !figures.has(name))).toEqual([]);
});
