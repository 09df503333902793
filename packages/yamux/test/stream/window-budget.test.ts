import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WindowBudget } from '../../src/stream/window-budget.ts';

test('gives as much as is left, and never more than its size at once', () => {
  const step = fc.record({ takes: fc.boolean(), bytes: fc.nat(2000) });
  fc.assert(
    fc.property(fc.nat(3000), fc.array(step, { maxLength: 40 }), (size, steps) => {
      const budget = new WindowBudget(size);
      let used = 0;
      for (const { takes, bytes } of steps) {
        if (takes) {
          const taken = budget.take(bytes);
          expect(taken).toBe(Math.min(bytes, size - used));
          used += taken;
        } else {
          const given = bytes % (used + 1);
          budget.giveBack(given);
          used -= given;
        }
        expect(budget.used).toBe(used);
        expect(budget.used).toBeLessThanOrEqual(size);
      }
    }),
  );
});

test('of 0 gives nothing; of Infinity gives all that is asked for', () => {
  expect(new WindowBudget(0).take(1)).toBe(0);
  const endless = new WindowBudget(Number.POSITIVE_INFINITY);
  expect(endless.take(2 ** 40)).toBe(2 ** 40);
  expect(endless.take(1)).toBe(1);
});

test.each([-1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY])(
  'of %s throws RangeError and says what was expected',
  (size) => {
    expect(() => new WindowBudget(size)).toThrow(
      new RangeError(`Expected the size of a WindowBudget to be a whole number of at least 0, got ${size}`),
    );
  },
);
