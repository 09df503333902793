import { describe, expect, it } from 'vitest';
import type { SessionNeededEvent } from '../src/observe/events.ts';
import type { PoolOptions } from '../src/options.ts';
import { SessionPool } from '../src/pool.ts';
import { FakeSession, ManualClock, queueDrained } from '../src/testing.ts';
import { poolWith, slots } from './support/pool-with.ts';

const WAIT = { wait: true };

/** Which of the opens are served, by their names, in order. */
function served(pool: SessionPool, ...opens: readonly [name: string, routing: object][]): string[] {
  const names: string[] = [];
  for (const [name, routing] of opens) {
    pool.open(routing, WAIT).then(
      () => names.push(name),
      (error: Error) => names.push(`${name}: ${error.message}`),
    );
  }
  return names;
}

describe('an open that waits', () => {
  it('is served when a stream closes, in order, and never beyond the cap', async () => {
    const session = new FakeSession().answers();
    const pool = poolWith({}, [session, { maxActiveStreams: 1 }]);
    const first = await pool.open();
    const names = served(pool, ['a', {}], ['b', {}]);
    await queueDrained();
    expect(names).toEqual([]);
    expect(pool.stats()).toMatchObject({ waitingOpens: 2, activeStreams: 1 });
    first.destroy();
    await queueDrained();
    await queueDrained();
    expect(names).toEqual(['a']);
    expect(slots(pool)).toEqual([1, 0]);
    session.streams[1]?.destroy();
    await queueDrained();
    await queueDrained();
    expect(names).toEqual(['a', 'b']);
    expect(pool.stats().waitingOpens).toBe(0);
  });

  it('is served in its turn though the strategy, asked for the one before it, makes another leave the line', async () => {
    const leaving = new AbortController();
    const pick = (): number => {
      leaving.abort('enough');
      return 0;
    };
    const pool = new SessionPool({ strategy: { name: 'aborts', pick } });
    const left = pool.open({ requiredTags: ['nowhere'] }, { ...WAIT, signal: leaving.signal });
    const names = served(pool, ['a', {}], ['b', {}], ['c', { sessionId: 'node' }], ['d', { sessionId: 'node' }]);
    pool.add(new FakeSession().answers(), { id: 'node', maxActiveStreams: 2 });
    await expect(left).rejects.toBe('enough');
    await queueDrained();
    expect([names, pool.stats().waitingOpens]).toEqual([['a', 'b'], 2]);
  });

  it.each<[string, (pool: SessionPool, session: FakeSession) => unknown]>([
    ['a session joins', (pool) => pool.add(new FakeSession().answers(), { id: 'late' })],
    ['the session resumes', (pool) => pool.resumeSession('s')],
  ])('is served when %s', async (_what, change) => {
    const session = new FakeSession().answers();
    const pool = poolWith({}, [session, { key: 's' }]);
    pool.drainSession('s');
    const names = served(pool, ['a', {}]);
    await queueDrained();
    expect(names).toEqual([]);
    change(pool, session);
    await queueDrained();
    expect(names).toEqual(['a']);
  });

  it('is served by an empty pool as soon as it has what is asked for, and by nothing else', async () => {
    const pool = new SessionPool();
    const names = served(pool, ['eu', { sessionId: 'eu' }], ['us', { sessionId: 'us' }], ['any', {}]);
    pool.add(new FakeSession().answers(), { id: 'us', maxActiveStreams: 2 });
    await queueDrained();
    expect(names).toEqual(['us', 'any']);
    expect(pool.stats().waitingOpens).toBe(1);
    pool.add(new FakeSession().answers(), { id: 'eu' });
    await queueDrained();
    expect(names).toEqual(['us', 'any', 'eu']);
  });

  it('comes before an open that comes later and does not wait', async () => {
    const session = new FakeSession().answers();
    const pool = poolWith({}, [session, { maxActiveStreams: 1 }]);
    const first = await pool.open();
    const names = served(pool, ['waits', {}]);
    first.destroy();
    let late: unknown;
    // In the very moment at which the slot is free, before anything queued has run.
    first.once('close', () => {
      pool.open().catch((error: { code: string }) => {
        late = error.code;
      });
    });
    await queueDrained();
    await queueDrained();
    expect(names).toEqual(['waits']);
    expect(late).toBe('ERR_YAMUX_POOL_NO_AVAILABLE_SESSION');
  });

  it('is served by a session that time alone brings back, with one timer for all that wait, and none afterwards', async () => {
    const clock = new ManualClock();
    const session = new FakeSession();
    const pool = poolWith({ clock, healthFailureThreshold: 1, healthProbeInterval: 50 }, [session]);
    const failing = pool.open();
    session.openCall(0).reject(new Error('broken'));
    await expect(failing).rejects.toThrow('broken');
    session.answers();
    const names = served(pool, ['a', {}], ['b', {}]);
    expect(clock.timers).toBe(1);
    clock.advance(49);
    await queueDrained();
    expect(names).toEqual([]);
    clock.advance(1);
    await queueDrained();
    // One is the trial; the other waits until it has succeeded.
    expect(names).toEqual(['a']);
    session.streams[0]?.acknowledge();
    await queueDrained();
    expect(names).toEqual(['a', 'b']);
    expect(clock.timers).toBe(0);
  });

  it('waits again, in its place, when a session turns out to be full', async () => {
    const clock = new ManualClock();
    const session = new FakeSession();
    const pool = poolWith({ clock }, [session]);
    const names = served(pool, ['a', {}]);
    const full = Object.assign(new Error('refused'), { refused: true });
    session.openCall(0).reject(full);
    await queueDrained();
    names.push(...[pool.stats().waitingOpens].map((waiting) => `${waiting} waits`));
    clock.advance(1_000);
    session.openCall(1).resolve();
    await queueDrained();
    expect(names).toEqual(['1 waits', 'a']);
  });

  it.each<[string, (pool: SessionPool, caller: AbortController, clock: ManualClock) => unknown, object]>([
    ['its timeout', (_pool, _caller, clock) => clock.advance(100), { code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT' }],
    ['its signal', (_pool, caller) => caller.abort(new Error('enough')), { message: 'enough' }],
    ['close()', (pool) => pool.close(), { code: 'ERR_YAMUX_POOL_CLOSED' }],
    ['destroy()', (pool) => pool.destroy(), { code: 'ERR_YAMUX_POOL_CLOSED' }],
  ])('settles at %s, takes no slot and leaves nothing behind', async (_what, end, error) => {
    const clock = new ManualClock();
    const pool = new SessionPool({ clock });
    const caller = new AbortController();
    const opening = pool.open({}, { ...WAIT, timeout: 100, signal: caller.signal });
    end(pool, caller, clock);
    await expect(opening).rejects.toMatchObject(error);
    expect(clock.timers).toBe(0);
    expect(pool.stats()).toMatchObject({ waitingOpens: 0, openAttempts: 0, openFailures: 0 });
  });

  it('is refused at once when as many wait as may, with an error that says so', async () => {
    const pool = new SessionPool({ maxWaiting: 2 });
    const names = served(pool, ['a', {}], ['b', {}]);
    await expect(pool.open({}, WAIT)).rejects.toMatchObject({
      code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION',
      waiting: 2,
      message: 'No session matches; 2 opens wait already',
    });
    expect(names).toEqual([]);
    pool.destroy();
  });

  it('rejects with the error of the strategy, and the others go on', async () => {
    let isBroken = false;
    const strategy = { name: 'mine', pick: () => (isBroken ? -1 : 0) };
    const pool = new SessionPool({ strategy });
    const names = served(pool, ['a', {}]);
    isBroken = true;
    pool.add(new FakeSession().answers());
    await queueDrained();
    expect(names).toEqual([expect.stringContaining("Strategy 'mine' must return an index")]);
    isBroken = false;
    await pool.open({}, WAIT);
  });

  it('that is aborted by the very code that is called to serve it takes no slot for ever', async () => {
    const caller = new AbortController();
    const strategy = { name: 'mine', pick: () => Number(caller.abort(new Error('enough'))) || 0 };
    const pool = new SessionPool({ strategy });
    const opening = pool.open({}, { ...WAIT, signal: caller.signal });
    const session = new FakeSession();
    pool.add(session);
    await expect(opening).rejects.toThrow('enough');
    session.openCall(0).reject(new Error('aborted'));
    await queueDrained();
    expect(slots(pool)).toEqual([0, 0]);
  });

  it('is the default of a pool that says so, and an open may say otherwise', async () => {
    const pool = new SessionPool({ wait: true });
    await expect(pool.open({}, { wait: false })).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_NO_MATCHING_SESSION' });
    const opening = pool.open();
    pool.add(new FakeSession().answers());
    await opening;
  });
});

describe('onSessionNeeded', () => {
  const heard = (options: PoolOptions = {}): { pool: SessionPool; events: SessionNeededEvent[] } => {
    const events: SessionNeededEvent[] = [];
    return { pool: new SessionPool({ ...options, hooks: { onSessionNeeded: (event) => events.push(event) } }), events };
  };

  it('tells what is asked for, once for all that ask for the same, and again when a session was not enough', async () => {
    const { pool, events } = heard();
    served(pool, ['a', { sessionId: 'eu' }], ['b', { sessionId: 'eu' }], ['c', { sessionId: 'us' }]);
    expect(events).toEqual([
      { routing: { sessionId: 'eu' }, waiting: 1, sessions: 0 },
      { routing: { sessionId: 'us' }, waiting: 1, sessions: 0 },
    ]);
    pool.add(new FakeSession().answers(), { id: 'eu', maxActiveStreams: 1 });
    await queueDrained();
    expect(events.slice(2)).toEqual([{ routing: { sessionId: 'eu' }, waiting: 1, sessions: 1 }]);
    void pool.close();
    await queueDrained();
    expect(pool.stats().waitingOpens).toBe(0);
  });

  it('may add the session at once, as often as it takes', async () => {
    const pool: SessionPool = new SessionPool({
      hooks: { onSessionNeeded: () => pool.add(new FakeSession().answers(), { maxActiveStreams: 1 }) },
    });
    const opens = Array.from({ length: 500 }, () => pool.open({}, WAIT));
    await Promise.all(opens);
    expect(pool.stats()).toMatchObject({ sessionsTotal: 500, activeStreams: 500, waitingOpens: 0 });
  });

  it('tells when fewer than the minimum are left that take streams, and not at the end of the pool', () => {
    const { pool, events } = heard({ minimum: 2 });
    const last = new FakeSession();
    for (const key of ['a', 'b']) pool.add(new FakeSession(), { key });
    pool.add(last);
    pool.removeSession('a');
    expect(events).toEqual([]);
    pool.drainSession('b');
    expect(events).toEqual([{ routing: {}, waiting: 0, sessions: 1 }]);
    pool.removeSession('b');
    expect(events).toHaveLength(1);
    last.end();
    expect(events.slice(1)).toEqual([{ routing: {}, waiting: 0, sessions: 0 }]);
    pool.add(new FakeSession());
    pool.destroy();
    expect(events).toHaveLength(2);
  });
});
