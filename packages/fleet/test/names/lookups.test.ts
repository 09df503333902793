import { ManualClock } from '@zishuo/yamux-balancer/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Placement } from '../../src/directory/directory.ts';
import { Lookups } from '../../src/names/lookups.ts';
import { NameCache } from '../../src/names/name-cache.ts';
import { RateLimit } from '../../src/names/rate-limit.ts';

const AT = (node: string): Placement => ({ node, sessions: 1, agents: [] });

let clock: ManualClock;
let cache: NameCache;
let lookups: Lookups;
let asked: { name: string; answer: (placements: readonly Placement[]) => void; fail: (error: Error) => void }[];
let isDown: boolean;
let isDoubtful: boolean;

beforeEach(() => {
  clock = new ManualClock();
  cache = new NameCache({ ttl: 30_000, unknownTtl: 1_000, maxNames: 100, maxUnknown: 100 });
  asked = [];
  isDown = false;
  isDoubtful = false;
  const lookup = (name: string): Promise<readonly Placement[]> =>
    new Promise((answer, fail) => asked.push({ name, answer, fail }));
  lookups = new Lookups({
    directory: { lookup },
    cache,
    limit: new RateLimit(5),
    clock,
    isDown: () => isDown,
    isDoubtful: () => isDoubtful,
  });
});

const nodesOf = (placements: readonly { readonly node: string }[]): string[] => placements.map(({ node }) => node);

async function find(name: string): Promise<string[]> {
  return nodesOf(await lookups.find(name));
}

/** The name is known to be there. */
async function learn(name: string, ...nodes: string[]): Promise<void> {
  const found = find(name);
  asked.pop()?.answer(nodes.map(AT));
  await found;
}

describe('Lookups', () => {
  it('asks once for all that want the same name, and not again while it is fresh', async () => {
    const both = Promise.all([find('x'), find('x')]);
    expect(asked).toHaveLength(1);
    asked[0]?.answer([AT('n')]);
    expect(await both).toEqual([['n'], ['n']]);
    clock.advance(29_999);
    expect(await find('x')).toEqual(['n']);
    expect(lookups.asked).toBe(1);
  });

  it('serves what is old and asks beside that, once', async () => {
    await learn('x', 'n');
    clock.advance(30_000);
    expect([nodesOf(lookups.find('x') as never), nodesOf(lookups.find('x') as never)]).toEqual([['n'], ['n']]);
    expect(asked).toHaveLength(1);
    asked[0]?.answer([AT('m')]);
    await Promise.resolve();
    await new Promise(setImmediate);
    expect(await find('x')).toEqual(['m']);
  });

  it('waits for what a hint says has changed, and takes what was known where there is no answer', async () => {
    await learn('x', 'n');
    cache.markStale('x');
    const failing = find('x');
    asked.pop()?.fail(new Error('no answer'));
    expect(await failing).toEqual(['n']);
    const found = find('x');
    asked.pop()?.answer([AT('m')]);
    expect(await found).toEqual(['m']);
  });

  it('takes a hint that comes before the answer for newer than that', async () => {
    const both = [find('x'), find('y')];
    lookups.changed('x');
    asked[0]?.answer([AT('n')]);
    expect(await both[0]).toEqual(['n']);
    lookups.unsure();
    asked[1]?.answer([AT('n')]);
    expect(await both[1]).toEqual(['n']);
    const again = [find('x'), find('y')];
    for (const { answer } of asked.slice(2)) answer([AT('m')]);
    expect(await Promise.all(again)).toEqual([['m'], ['m']]);
  });

  it('asks nothing of a directory that is down', async () => {
    await learn('x', 'n');
    isDown = true;
    cache.markStale('x');
    clock.advance(60_000);
    expect([await find('x'), await find('unknown')]).toEqual([['n'], []]);
    await lookups.refresh('x');
    expect(asked).toEqual([]);
  });

  it('keeps what was known beside what a directory says that may have lost it', async () => {
    await learn('x', 'n', 'm');
    isDoubtful = true;
    cache.markStale('x');
    const found = find('x');
    asked.pop()?.answer([AT('m'), AT('k')]);
    expect(await found).toEqual(['m', 'k', 'n']);
    isDoubtful = false;
    clock.advance(1_000);
    void lookups.find('x');
    asked.pop()?.answer([AT('k')]);
    await new Promise(setImmediate);
    expect(await find('x')).toEqual(['k']);
  });

  it('asks for unknown names at its rate, and never for one within a second', async () => {
    for (let n = 0; n < 100; n += 1) void find(`unknown ${n}`);
    expect([asked.length, lookups.limited]).toEqual([5, 95]);
    for (const { answer } of asked.splice(0)) answer([]);
    await new Promise(setImmediate);
    clock.advance(999);
    expect(await find('unknown 0')).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('refreshes a name at most every 100 ms', async () => {
    await learn('x', 'n');
    const first = lookups.refresh('x');
    asked.pop()?.answer([AT('m')]);
    await first;
    await lookups.refresh('x');
    expect(asked).toEqual([]);
    clock.advance(100);
    void lookups.refresh('x');
    expect(asked).toHaveLength(1);
    expect(await find('x')).toEqual(['m']);
  });
});
