// The fleet as a whole against a naive model: whatever joins, leaves, dies, comes back, is cut off or forgets, in whatever order, no request is lost that
// somebody could serve, nobody serves what he does not, and in the end every node sees the same.
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { runs } from '../../yamux/test/support/runs.ts';
import { FleetModel, NAMES, SLOTS, type Step } from './support/fleet-model.ts';

const slot = fc.nat(SLOTS - 1);
const nth = fc.nat(100);
const names = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 });
const join = fc.record({ do: fc.constant('join' as const), slot, names });
const simple = (weight: number, ...what: ('mend' | 'stop' | 'resume' | 'clear' | 'nothing')[]) => ({
  weight,
  arbitrary: fc.record({ do: fc.constantFrom(...what) }),
});
const event: fc.Arbitrary<Step['event']> = fc.oneof(
  { weight: 6, arbitrary: join },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'drain' as const), nth }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('kill' as const, 'restart' as const), slot }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cutDirectory' as const), slot }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cutLink' as const), slot, other: slot }) },
  simple(2, 'stop', 'clear'),
  simple(4, 'mend', 'resume'),
  simple(10, 'nothing'),
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(100, 1_000, 6_000, 16_000) }),
  },
);
const request = fc.record({
  slot,
  name: fc.constantFrom(...NAMES),
  key: fc.option(fc.constantFrom('k', 'l'), { nil: undefined }),
});
const step: fc.Arbitrary<Step> = fc.record({ requests: fc.array(request, { maxLength: 5 }), event });

describe('a fleet', () => {
  it('is a naive fleet, whatever happens in whatever order', async () => {
    const first = fc.array(join, { minLength: 3, maxLength: 6 });
    const then = fc.array(step, { minLength: 10, maxLength: 50, size: 'max' });
    const property = fc.asyncProperty(first, then, async (joins, steps) => {
      const model = new FleetModel();
      try {
        await model.start();
        for (const event of joins) await model.step({ requests: [], event });
        await model.step({ requests: [], event: { do: 'pass', ms: 16_000 } });
        for (const one of steps) await model.step(one);
        await model.converge();
      } finally {
        await model.close();
      }
    });
    await fc.assert(property, runs(60));
  }, 3_600_000);
});
