import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../src/names/rate-limit.ts';

describe('RateLimit', () => {
  it('lets so many through at once, and then so many a second', () => {
    const limit = new RateLimit(10);
    const through = (times: number, now: number): number =>
      Array.from({ length: times }, () => limit.take(now)).filter(Boolean).length;
    expect(through(100, 0)).toBe(10);
    expect(through(100, 100)).toBe(1);
    expect(through(100, 600)).toBe(5);
    expect(through(100, 60_000)).toBe(10);
  });
});
