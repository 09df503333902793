import { describe, expect, it } from 'vitest';
import { NameCache } from '../../src/names/name-cache.ts';

const RULES = { ttl: 30_000, unknownTtl: 1_000, maxNames: 3, maxUnknown: 3 };
const SOME = [{ node: 'n', sessions: 1, agents: [] }];

describe('NameCache', () => {
  it('is old after its time, and still known', () => {
    const cache = new NameCache(RULES);
    expect(cache.find('x', 0)).toBeUndefined();
    cache.store('x', SOME, 0);
    expect(cache.find('x', 29_999)).toEqual({ placements: SOME, age: 'fresh' });
    expect(cache.find('x', 30_000)).toEqual({ placements: SOME, age: 'old' });
    cache.store('x', SOME, 30_000);
    expect(cache.find('x', 30_001)?.age).toBe('fresh');
  });

  it('has changed after a hint, and is old after all hints may have been missed', () => {
    const cache = new NameCache(RULES);
    cache.store('x', SOME, 0);
    cache.store('y', SOME, 0);
    expect(cache.markStale('x')).toBe(true);
    expect(cache.markStale('unheard of')).toBe(false);
    expect([cache.find('x', 1)?.age, cache.find('y', 1)?.age]).toEqual(['changed', 'fresh']);
    cache.markAllStale();
    expect(cache.find('y', 1)?.age).toBe('old');
    cache.store('y', SOME, 2);
    expect(cache.find('y', 2)?.age).toBe('fresh');
  });

  it('does not look a name up for a second that has no placements, unless a hint comes', () => {
    const cache = new NameCache(RULES);
    cache.store('x', [], 0);
    expect(cache.find('x', 999)).toEqual({ placements: [], age: 'fresh' });
    expect(cache.find('x', 1_000)).toBeUndefined();
    cache.store('x', [], 0);
    expect(cache.markStale('x')).toBe(true);
    expect(cache.find('x', 1)).toBeUndefined();
  });

  it('holds no more than it may of either kind, and lets the oldest go', () => {
    const cache = new NameCache(RULES);
    for (const name of ['a', 'b', 'c']) cache.store(name, SOME, 0);
    cache.store('a', SOME, 1);
    cache.store('d', SOME, 2);
    expect(cache.find('b', 2)).toBeUndefined();
    expect(cache.find('a', 2)?.placements).toBe(SOME);
    for (let n = 0; n < 100; n += 1) cache.store(`unknown ${n}`, [], 2);
    expect([cache.size, cache.unknownSize]).toEqual([3, 3]);
  });

  it('knows a name as one kind at a time', () => {
    const cache = new NameCache(RULES);
    cache.store('x', SOME, 0);
    cache.store('x', [], 1_000);
    expect([cache.size, cache.unknownSize]).toEqual([1, 0]);
    cache.store('x', [], 2_000);
    expect([cache.size, cache.unknownSize]).toEqual([0, 1]);
    cache.store('x', SOME, 0);
    expect([cache.size, cache.unknownSize]).toEqual([1, 0]);
  });

  it('takes a name that has just lost its placements for one that moves, for a second', () => {
    const cache = new NameCache({ ...RULES, maxNames: 9 });
    cache.store('x', SOME, 0);
    cache.store('x', [], 500);
    cache.vanish('y', 500);
    expect([cache.isMoving('x', 1_499), cache.isMoving('y', 1_499)]).toEqual([true, true]);
    expect(cache.find('x', 599)).toEqual({ placements: [], age: 'fresh' });
    expect(cache.find('x', 600)).toEqual({ placements: [], age: 'old' });
    expect(cache.find('y', 500)).toEqual({ placements: [], age: 'old' });
    expect([cache.isMoving('x', 1_500), cache.isMoving('z', 0)]).toEqual([false, false]);
    cache.store('x', SOME, 1_600);
    cache.vanish('x', 1_600);
    expect(cache.isMoving('x', 1_600)).toBe(false);
    expect(cache.find('x', 1_600)).toEqual({ placements: SOME, age: 'changed' });
  });
});
