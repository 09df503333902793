import { describe, expect, it } from 'vitest';
import { EjectionLimit } from '../../src/health/ejection-limit.ts';

describe('EjectionLimit', () => {
  it('weighs the share as it will be, not as it is', () => {
    // Of three at 50 %: after one, a second would make two thirds.
    const limit = new EjectionLimit(50, 1_000);
    expect([limit.take(3, 0), limit.take(2, 0)]).toEqual([true, false]);
  });

  it('lets exactly the share go', () => {
    const limit = new EjectionLimit(40, 1_000);
    let remaining = 10;
    let ejected = 0;
    for (let failure = 0; failure < 10; failure += 1) {
      if (!limit.take(remaining, 0)) continue;
      remaining -= 1;
      ejected += 1;
    }
    expect(ejected).toBe(4);
  });

  it('always lets one go, and not a second', () => {
    const limit = new EjectionLimit(0, 1_000);
    expect([limit.take(1, 0), limit.take(5, 0)]).toEqual([true, false]);
  });

  it('lets all go at 100 %', () => {
    const limit = new EjectionLimit(100, 1_000);
    expect([3, 2, 1].map((remaining) => limit.take(remaining, 0))).toEqual([true, true, true]);
  });

  it('forgets what is longer ago than its window', () => {
    const limit = new EjectionLimit(0, 1_000);
    expect([limit.take(5, 0), limit.take(4, 999), limit.take(4, 1_000)]).toEqual([true, false, true]);
  });
});
