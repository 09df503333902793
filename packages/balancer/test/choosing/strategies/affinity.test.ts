import type { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import {
  type AffinityOptions,
  affinity,
  DEFAULT_AFFINITY_MAX_BINDINGS,
  DEFAULT_AFFINITY_TTL,
} from '../../../src/choosing/strategies/affinity.ts';
import { leastConn } from '../../../src/choosing/strategies/least-conn.ts';
import { weighted } from '../../../src/choosing/strategies/weighted.ts';
import type { Candidate, Strategy } from '../../../src/choosing/strategy.ts';
import type { AffinityEvictEvent } from '../../../src/observe/events.ts';
import { SessionPool } from '../../../src/pool.ts';
import type { RoutingContext } from '../../../src/routing.ts';
import { FakeSession, ManualClock, queueDrained } from '../../../src/testing.ts';

const CAP = 2;

interface Sticky {
  readonly pool: SessionPool;
  readonly clock: ManualClock;
  readonly sessions: Record<'a' | 'b' | 'c', FakeSession>;
  readonly evictions: AffinityEvictEvent[];
  /** The key of the session that serves an open with this routing; its stream is closed again. */
  serves(routing: RoutingContext): Promise<string>;
}

function sticky(options?: AffinityOptions, openAttempts = 2): Sticky {
  const clock = new ManualClock();
  const evictions: AffinityEvictEvent[] = [];
  const hooks = { onAffinityEvict: (event: AffinityEvictEvent) => evictions.push(event) };
  const pool = new SessionPool({ strategy: affinity(options), clock, hooks, openAttempts });
  const sessions = { a: new FakeSession(), b: new FakeSession(), c: new FakeSession() };
  for (const [key, session] of Object.entries(sessions)) {
    pool.add(session.answers(), { key, metadata: { key }, maxActiveStreams: CAP });
  }
  const serves = async (routing: RoutingContext): Promise<string> => {
    const { session, stream } = await pool.openStream(routing);
    stream.destroy();
    await queueDrained();
    return session.key;
  };
  return { pool, clock, sessions, evictions, serves };
}

/** By three opens that its own caller asks it for. */
async function makeUnhealthy({ pool, sessions }: Sticky): Promise<void> {
  sessions.a.refuses(new Error('broken'));
  for (let open = 0; open < 3; open += 1) await expect(pool.open({ sessionKey: 'a' })).rejects.toThrow('broken');
  sessions.a.answers();
}

/** By a trial when its rest is over. */
async function makeHealthy({ pool, sessions, clock }: Sticky): Promise<void> {
  clock.advance(30_000);
  const trial = await pool.open({ sessionKey: 'a' });
  sessions.a.streams.at(-1)?.acknowledge();
  trial.destroy();
}

const tenant = (affinityKey: string): RoutingContext => ({ affinityKey });

describe('affinity', () => {
  it('keeps each key on the session that served it first', async () => {
    const { pool, serves } = sticky();
    for (const [key, session] of [
      ['x', 'a'],
      ['y', 'b'],
      ['z', 'c'],
    ] as const) {
      expect(await serves(tenant(key))).toBe(session);
    }
    for (let round = 0; round < 3; round += 1) {
      expect([await serves(tenant('z')), await serves(tenant('x')), await serves(tenant('y'))].join('')).toBe('cab');
    }
    expect(pool.stats().affinity).toEqual({
      bindings: 3,
      hits: 9,
      misses: 3,
      rebinds: 0,
      spills: 0,
      expired: 0,
      evicted: 0,
    });
  });

  it('binds nothing without a key, and asks the fallback', async () => {
    const { pool, serves } = sticky();
    expect([await serves({}), await serves({ affinityKey: '' }), await serves({ sourceIp: '' })].join('')).toBe('abc');
    expect(pool.stats().affinity).toMatchObject({ bindings: 0, misses: 0 });
  });

  it('takes the address where there is no key, and never one for the other', async () => {
    const { serves, pool } = sticky();
    expect(await serves({ affinityKey: '10.0.0.1' })).toBe('a');
    expect(await serves({ sourceIp: '10.0.0.1' })).toBe('b');
    expect(await serves({ affinityKey: '10.0.0.1', sourceIp: '10.0.0.1' })).toBe('a');
    expect(await serves({ sourceIp: '::FFFF:10.0.0.1' })).toBe('b');
    expect(await serves({ sourceIp: '::ffff:a00:1' })).toBe('c');
    expect(pool.stats().affinity?.bindings).toBe(3);
  });

  it('keeps a burst for a new key on one session, before the first open is answered', async () => {
    const pool = new SessionPool({ strategy: 'affinity' });
    const sessions = [new FakeSession(), new FakeSession()];
    for (const session of sessions) pool.add(session);
    const opens = Array.from({ length: 5 }, () => pool.open(tenant('x')));
    expect(sessions.map((session) => session.opens.length)).toEqual([5, 0]);
    for (const open of sessions[0]?.opens ?? []) open.resolve();
    await Promise.all(opens);
  });

  it('takes a binding back that no open has confirmed', async () => {
    const { pool, sessions, serves } = sticky({}, 1);
    sessions.a.refuses(new Error('refused'));
    await expect(pool.open(tenant('x'))).rejects.toThrow('refused');
    expect(pool.stats().affinity?.bindings).toBe(0);
    expect(await serves(tenant('x'))).toBe('b');
    expect(await serves(tenant('x'))).toBe('b');
  });

  it('binds to the session on which the retry succeeded', async () => {
    const { sessions, serves } = sticky();
    sessions.a.refuses(new Error('refused'));
    expect(await serves(tenant('x'))).toBe('b');
    sessions.a.answers();
    expect(await serves(tenant('x'))).toBe('b');
  });

  it('keeps a confirmed binding through a failed open, which another session serves meanwhile', async () => {
    const { sessions, serves, pool } = sticky();
    expect(await serves(tenant('x'))).toBe('a');
    sessions.a.refuses(new Error('refused'));
    expect(await serves(tenant('x'))).toBe('b');
    sessions.a.answers();
    expect(await serves(tenant('x'))).toBe('a');
    expect(pool.stats().affinity).toMatchObject({ spills: 1, rebinds: 0 });
  });

  it('binds again when of a burst one open fails and another succeeds', async () => {
    const pool = new SessionPool({ strategy: 'affinity', openAttempts: 1 });
    const session = new FakeSession();
    pool.add(session, { key: 'only' });
    const [first, second] = [pool.open(tenant('x')), pool.open(tenant('x'))];
    session.openCall(0).reject(new Error('refused'));
    await expect(first).rejects.toThrow('refused');
    expect(pool.stats().affinity?.bindings).toBe(0);
    session.openCall(1).resolve();
    await second;
    expect(pool.stats().affinity?.bindings).toBe(1);
  });

  it.each([
    ['leaves the pool', ({ pool }: Sticky) => pool.removeSession('a')],
    ['closes', ({ sessions }: Sticky) => sessions.a.end()],
    ['drains', ({ pool }: Sticky) => void pool.drainSession('a')],
    ['is told to go away', ({ sessions }: Sticky) => void sessions.a.emit('goAway')],
    ['is unhealthy', makeUnhealthy],
  ])('moves the key when its session %s', async (_what, act) => {
    const world = sticky();
    expect(await world.serves(tenant('x'))).toBe('a');
    await act(world);
    expect(await world.serves(tenant('x'))).toBe('b');
    expect(await world.serves(tenant('x'))).toBe('b');
  });

  it('does not bring the key back when its first session resumes', async () => {
    const { pool, serves } = sticky();
    expect(await serves(tenant('x'))).toBe('a');
    pool.drainSession('a');
    expect(await serves(tenant('x'))).toBe('b');
    pool.resumeSession('a');
    expect(await serves(tenant('x'))).toBe('b');
    expect(pool.stats().affinity).toMatchObject({ bindings: 1, rebinds: 1 });
  });

  it('lets a key visit elsewhere while its session is full', async () => {
    const pool = new SessionPool({ strategy: 'affinity', maxActiveStreams: 1 });
    for (const key of ['a', 'b']) pool.add(new FakeSession().answers(), { key });
    const first = await pool.openStream(tenant('x'));
    expect(first.session.key).toBe('a');
    expect((await pool.openStream(tenant('x'))).session.key).toBe('b');
    first.stream.destroy();
    await queueDrained();
    expect((await pool.openStream(tenant('x'))).session.key).toBe('a');
    expect(pool.stats().affinity).toMatchObject({ spills: 1, rebinds: 0, bindings: 1 });
  });

  it('lets a key visit elsewhere when this open asks for what its session has not', async () => {
    const { serves } = sticky();
    expect(await serves(tenant('x'))).toBe('a');
    expect(await serves({ affinityKey: 'x', requiredMetadata: { key: 'c' } })).toBe('c');
    expect(await serves({ affinityKey: 'x', sessionKey: 'b' })).toBe('b');
    expect(await serves(tenant('x'))).toBe('a');
  });

  it.each([
    ['draining', 'spill', 'aba'],
    ['unhealthy', 'spill', 'aba'],
    ['full', 'rebind', 'abb'],
    ['filtered', 'rebind', 'acc'],
  ] as const)('does with a session that is %s as it is told: %s', async (reason, rule, expected) => {
    const world = sticky({ onUnavailable: { [reason]: rule } });
    const { pool, serves } = world;
    let keys = await serves(tenant('x'));
    const filling: Duplex[] = [];
    if (reason === 'draining') pool.drainSession('a');
    if (reason === 'unhealthy') await makeUnhealthy(world);
    if (reason === 'full') {
      for (let count = 0; count < CAP; count += 1) filling.push(await pool.open({ sessionKey: 'a' }));
    }
    keys += await serves(reason === 'filtered' ? { affinityKey: 'x', requiredMetadata: { key: 'c' } } : tenant('x'));
    pool.resumeSession('a');
    for (const stream of filling) stream.destroy();
    if (reason === 'unhealthy') await makeHealthy(world);
    await queueDrained();
    keys += await serves(tenant('x'));
    expect(keys).toBe(expected);
  });

  it('forgets a key that was not used for ttl, and remembers one that was', async () => {
    const { clock, serves, pool, evictions } = sticky({ ttl: 100 });
    expect(await serves(tenant('x'))).toBe('a');
    clock.advance(99);
    expect(await serves(tenant('x'))).toBe('a');
    clock.advance(99);
    expect(await serves(tenant('x'))).toBe('a');
    clock.advance(100);
    expect(await serves(tenant('x'))).toBe('b');
    expect(pool.stats().affinity).toMatchObject({ expired: 1, bindings: 1 });
    expect(evictions).toEqual([{ kind: 'affinityKey', key: 'x', sessionKey: 'a', reason: 'ttl' }]);
  });

  it('forgets the key that was used longest ago when there are more than maxBindings', async () => {
    const { serves, pool, evictions } = sticky({ maxBindings: 2 });
    expect([await serves(tenant('x')), await serves(tenant('y'))].join('')).toBe('ab');
    expect(await serves(tenant('x'))).toBe('a');
    expect(await serves(tenant('z'))).toBe('c');
    expect(await serves(tenant('x'))).toBe('a');
    expect(evictions).toEqual([{ kind: 'affinityKey', key: 'y', sessionKey: 'b', reason: 'cap' }]);
    expect(pool.stats().affinity).toMatchObject({ bindings: 2, evicted: 1 });
  });

  it('lets go of what has expired at every pick and at stats(), without a timer', async () => {
    const { clock, serves, pool } = sticky({ ttl: 100 });
    for (let key = 0; key < 10; key += 1) await serves(tenant(`k${key}`));
    clock.advance(100);
    await serves(tenant('new'));
    expect(clock.timers).toBe(0);
    expect(pool.stats().affinity).toMatchObject({ bindings: 1, expired: 10 });
  });

  it('drops the bindings of a session that leaves, and tells of each', async () => {
    const { pool, serves, evictions } = sticky();
    for (const key of ['x', 'y', 'z', 'w']) await serves(tenant(key));
    pool.removeSession('a');
    expect(evictions).toEqual([
      { kind: 'affinityKey', key: 'x', sessionKey: 'a', reason: 'removed' },
      { kind: 'affinityKey', key: 'w', sessionKey: 'a', reason: 'removed' },
    ]);
    expect(pool.stats().affinity?.bindings).toBe(2);
  });

  it('is not confused by a routing that its caller changes while the open waits', async () => {
    const pool = new SessionPool({ strategy: 'affinity', openAttempts: 1 });
    const session = new FakeSession();
    pool.add(session);
    const routing = { affinityKey: 'x' };
    const open = pool.open(routing);
    routing.affinityKey = 'y';
    session.openCall(0).reject(new Error('refused'));
    await expect(open).rejects.toThrow('refused');
    expect(pool.stats().affinity?.bindings).toBe(0);
  });

  it('chooses by its fallback, and tells it all that a strategy is told', async () => {
    const told: string[] = [];
    const fallback: Strategy = {
      name: 'told',
      order: 'least-loaded',
      attach: () => told.push('attach'),
      pick: () => 0,
      added: ({ key }: Candidate) => void told.push(`added ${key}`),
      removed: ({ key }: Candidate) => void told.push(`removed ${key}`),
      opened: ({ key }: Candidate) => void told.push(`opened ${key}`),
      failed: ({ key }: Candidate) => void told.push(`failed ${key}`),
    };
    const { pool, serves, sessions } = sticky({ fallback }, 1);
    await serves(tenant('x'));
    sessions.a.refuses(new Error('refused'));
    await expect(pool.open(tenant('x'))).rejects.toThrow('refused');
    pool.removeSession('c');
    expect(told).toEqual(['attach', 'added a', 'added b', 'added c', 'opened a', 'failed a', 'removed c']);
  });

  it('uses least-conn and weighted as they are', async () => {
    const least = new SessionPool({ strategy: affinity({ fallback: leastConn() }) });
    for (const key of ['a', 'b']) least.add(new FakeSession().answers(), { key });
    const keys: string[] = [];
    for (const key of ['x', 'y', 'x', 'x', 'z']) keys.push((await least.openStream(tenant(key))).session.key);
    expect(keys.join('')).toBe('abaab');

    const heavy = new SessionPool({ strategy: affinity({ fallback: weighted() }) });
    for (const [key, weight] of [
      ['a', 2],
      ['b', 1],
    ] as const)
      heavy.add(new FakeSession().answers(), { key, weight });
    let picked = '';
    for (let key = 0; key < 6; key += 1) picked += (await heavy.openStream(tenant(`k${key}`))).session.key;
    expect(picked).toBe('abaaba');
  });

  it('binds nothing to a fallback that picks nobody', async () => {
    const fallback: Strategy = { name: 'lost', pick: () => Number.NaN };
    const { pool } = sticky({ fallback });
    await expect(pool.open(tenant('x'))).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_INVALID_STRATEGY' });
    expect(pool.stats().affinity?.bindings).toBe(0);
  });

  it('has the defaults of its documentation, and 0 turns either off', async () => {
    expect(DEFAULT_AFFINITY_TTL).toBe(600_000);
    expect(DEFAULT_AFFINITY_MAX_BINDINGS).toBe(65_536);
    const { clock, serves } = sticky({});
    expect(await serves(tenant('x'))).toBe('a');
    clock.advance(DEFAULT_AFFINITY_TTL);
    expect(await serves(tenant('x'))).toBe('b');

    const forEver = sticky({ ttl: 0, maxBindings: 0 });
    expect(await forEver.serves(tenant('x'))).toBe('a');
    forEver.clock.advance(10 * DEFAULT_AFFINITY_TTL);
    expect(await forEver.serves(tenant('x'))).toBe('a');
  });

  it.each([
    [{ ttl: -1 }, RangeError],
    [{ ttl: Number.NaN }, RangeError],
    [{ maxBindings: Infinity }, RangeError],
    [{ timeToLive: 5 }, TypeError],
    [{ onUnavailable: { asleep: 'spill' } }, TypeError],
    [{ onUnavailable: { full: 'wait' } }, TypeError],
  ])('refuses the options %o', (options, type) => {
    expect(() => affinity(options as AffinityOptions)).toThrow(type);
  });

  it('refuses itself, and what is used elsewhere, as a fallback', () => {
    const invalid = expect.objectContaining({ code: 'ERR_YAMUX_POOL_INVALID_STRATEGY' });
    expect(() => affinity({ fallback: affinity() })).toThrow(invalid);
    const fallback = weighted();
    new SessionPool({ strategy: affinity({ fallback }) });
    expect(() => new SessionPool({ strategy: affinity({ fallback }) })).toThrow(invalid);
    expect(() => new SessionPool({ strategy: affinity({ fallback: {} as Strategy }) })).toThrow(invalid);
  });

  it('tells the session that an open is bound to, also while that cannot be picked, and changes nothing', async () => {
    const clock = new ManualClock();
    const strategy = affinity({ ttl: 50 });
    const evicted = vi.fn();
    const pool = new SessionPool({ strategy, clock, hooks: { onAffinityEvict: evicted } });
    pool.add(new FakeSession().answers(), { key: 'a' });
    expect(strategy.boundTo?.(tenant('x'), [])).toBeUndefined();
    await pool.open(tenant('x'));
    clock.advance(30);
    expect(strategy.boundTo?.(tenant('x'), [])?.key).toBe('a');
    expect(strategy.boundTo?.({}, [])).toBeUndefined();
    pool.drainSession('a');
    expect(strategy.boundTo?.(tenant('x'), [])?.key).toBe('a');
    clock.advance(20);
    expect(strategy.boundTo?.(tenant('x'), [])).toBeUndefined();
    expect(evicted).not.toHaveBeenCalled();
  });

  it('lets a hook that hears of an eviction call back', async () => {
    const clock = new ManualClock();
    const removed = vi.fn();
    const pool: SessionPool = new SessionPool({
      strategy: affinity({ maxBindings: 1 }),
      clock,
      hooks: {
        onAffinityEvict: ({ sessionKey }) => {
          removed(sessionKey, pool.removeSession(sessionKey));
        },
      },
    });
    for (const key of ['a', 'b', 'c']) pool.add(new FakeSession().answers(), { key });
    await pool.open(tenant('x'));
    await pool.open(tenant('y'));
    expect(removed.mock.calls).toEqual([['a', true]]);
    expect(pool.stats()).toMatchObject({ sessionsTotal: 2, affinity: { bindings: 1 } });
  });
});
