import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from '../src/backoff.ts';

describe('Backoff', () => {
  it('doubles its bound from 250 ms to 30 s, and starts again after a reset', () => {
    const backoff = new Backoff({}, () => 1);
    const bounds = Array.from({ length: 9 }, () => backoff.next());
    expect(bounds).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    backoff.reset();
    expect(backoff.next()).toBe(250);
  });

  it('pauses for any time up to the bound, so that many clients spread out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (chances) => {
          let at = 0;
          const backoff = new Backoff({ base: 100, cap: 1_000 }, () => chances[at++] ?? 0);
          chances.forEach((chance, index) => {
            expect(backoff.next()).toBeCloseTo(chance * Math.min(100 * 2 ** index, 1_000));
          });
        },
      ),
    );
  });

  it('starts no lower than the given share of the cap', () => {
    const backoff = new Backoff({}, () => 1);
    expect([backoff.next(0.5), backoff.next()]).toEqual([15_000, 30_000]);
    backoff.reset();
    expect(backoff.next(1)).toBe(30_000);
  });

  it('pauses for at most 5 s after a GoAway, which is not a failure', () => {
    const backoff = new Backoff({}, () => 0.5);
    expect([backoff.soon(), backoff.soon(), backoff.next()]).toEqual([2_500, 2_500, 125]);
  });

  it.each([
    [{ base: 0 }, 'backoff.base'],
    [{ base: 500, cap: 400 }, 'backoff.cap'],
    [{ resetAfter: -1 }, 'backoff.resetAfter'],
    [{ goAwayJitter: Number.NaN }, 'backoff.goAwayJitter'],
  ])('refuses %o', (options, name) => {
    expect(() => new Backoff(options, Math.random)).toThrow(`Expected ${name} to be`);
  });
});
