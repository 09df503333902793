import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { FakeSession, FakeStream, ManualClock, queueDrained } from '../../src/testing.ts';
import { poolWith, slots } from '../support/pool-with.ts';

describe('an abort by the caller', () => {
  it('before the open takes no slot', async () => {
    const session = new FakeSession();
    const pool = poolWith({}, [session]);
    await expect(pool.open({}, { signal: AbortSignal.abort('changed my mind') })).rejects.toBe('changed my mind');
    expect(session.opens).toHaveLength(0);
    expect(pool.stats().openAttempts).toBe(0);
  });

  it('rejects at once, tells the session, keeps the slot until the session settles, and retries nowhere', async () => {
    const [session, other] = [new FakeSession(), new FakeSession().answers()];
    const pool = poolWith({}, [session], [other]);
    const caller = new AbortController();
    const opening = pool.open({}, { signal: caller.signal });
    expect(session.openCall(0).signal?.aborted).toBe(false);
    caller.abort('enough');
    await expect(opening).rejects.toBe('enough');
    expect(session.openCall(0).signal?.reason).toBe('enough');
    expect(slots(pool)).toEqual([0, 1]);
    session.openCall(0).reject(new Error('aborted'));
    await queueDrained();
    expect(slots(pool)).toEqual([0, 0]);
    expect(other.streams).toHaveLength(0);
    expect(pool.stats()).toMatchObject({ openAttempts: 1, openFailures: 0 });
  });

  it('destroys a stream that comes all the same, whatever that stream says then', async () => {
    const session = new FakeSession();
    const pool = poolWith({}, [session]);
    const caller = new AbortController();
    const opening = pool.open({}, { signal: caller.signal });
    caller.abort('enough');
    await expect(opening).rejects.toBe('enough');
    const late = new FakeStream();
    late.destroy(new Error('nobody listens'));
    session.openCall(0).resolve(late);
    await queueDrained();
    expect(slots(pool)).toEqual([0, 0]);
    const second = pool.open({}, { signal: AbortSignal.any([]) });
    const stream = session.openCall(1).resolve();
    expect(await second).toBe(stream);
  });

  it('is heard when it comes out of the very call to the session', async () => {
    const session = new FakeSession();
    const pool = poolWith({}, [session]);
    const caller = new AbortController();
    const open = session.open.bind(session);
    session.open = (options) => {
      caller.abort('enough');
      return open(options);
    };
    await expect(pool.open({}, { signal: caller.signal })).rejects.toBe('enough');
    session.openCall(0).resolve();
    await queueDrained();
    expect(slots(pool)).toEqual([0, 0]);
  });

  it('means nothing after the open', async () => {
    const session = new FakeSession().answers();
    const pool = poolWith({}, [session]);
    const caller = new AbortController();
    const stream = await pool.open({}, { signal: caller.signal });
    caller.abort();
    await queueDrained();
    expect(stream.destroyed).toBe(false);
  });
});

describe('a signal that times out', () => {
  it('is weighed as the timeout of the pool: a session that never answers becomes unhealthy', async () => {
    const [dead, good] = [new FakeSession(), new FakeSession().answers()];
    const pool = poolWith({}, [dead, { key: 'dead' }], [good]);
    let failed = 0;
    for (let open = 0; open < 12; open += 1) {
      const caller = new AbortController();
      const asked = dead.opens.length;
      const opening = pool.open({}, { signal: caller.signal });
      if (dead.opens.length > asked)
        caller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
      await opening.then(
        (stream) => stream.destroy(),
        (error: Error) => {
          expect(error.name).toBe('TimeoutError');
          failed += 1;
        },
      );
    }
    expect(pool.stats()).toMatchObject({ sessionsHealthy: 1, openFailures: failed });
    expect(pool.stats().sessions[0]).toMatchObject({ key: 'dead', healthy: false, consecutiveFailures: 3 });
    for (const open of dead.opens) open.reject(new Error('late'));
  });
});

describe('a signal that many opens share', () => {
  it('has one listener, goes to every session as one of its own, and none when they have ended', async () => {
    const session = new FakeSession();
    const pool = poolWith({}, [session]);
    const caller = new AbortController();
    const opens = Array.from({ length: 1_000 }, () => pool.open({}, { signal: caller.signal }));
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1);
    expect(new Set(session.opens.map(({ signal }) => signal)).size).toBe(1_000);
    session.openCall(0).resolve();
    await opens[0];
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1);
    caller.abort(new Error('shutdown'));
    const rest = await Promise.allSettled(opens.slice(1));
    expect(rest.every(({ status }) => status === 'rejected')).toBe(true);
    expect(session.opens.slice(1).every(({ signal }) => signal?.aborted)).toBe(true);
    expect(session.openCall(0).signal?.aborted).toBe(false);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    for (const open of session.opens.slice(1)) open.reject(new Error('aborted'));
  });

  it('serves an open that begins while its abort is told', async () => {
    const session = new FakeSession();
    const pool = poolWith({}, [session]);
    const caller = new AbortController();
    const first = pool.open({}, { signal: caller.signal });
    session.openCall(0).signal?.addEventListener('abort', () => {
      pool.open({}, { signal: caller.signal }).catch(() => {});
    });
    caller.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect(session.opens).toHaveLength(1);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    session.openCall(0).reject(new Error('aborted'));
  });
});

describe('an attempt timeout', () => {
  it('goes on to another session within the timeout of the open, and counts against the slow one', async () => {
    const clock = new ManualClock();
    const [slow, other] = [new FakeSession(), new FakeSession()];
    const pool = poolWith({ clock, attemptTimeout: 20 }, [slow, { key: 'slow' }], [other, { key: 'other' }]);
    const opening = pool.openStream({}, { timeout: 100 });
    clock.advance(20);
    await queueDrained();
    expect(slow.openCall(0).signal?.aborted).toBe(true);
    expect(other.openCall(0).signal?.aborted).toBe(false);
    clock.advance(10);
    other.openCall(0).resolve();
    expect((await opening).session.key).toBe('other');
    expect(pool.stats().sessions).toMatchObject([
      { key: 'slow', consecutiveFailures: 1, openFailures: 1, pendingStreams: 1 },
      { key: 'other', openFailures: 0 },
    ]);
    // A stream that comes late is nobody's.
    const late = slow.openCall(0).resolve();
    await queueDrained();
    expect(late.destroyed).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('ends an open that has no session left to try', async () => {
    const clock = new ManualClock();
    const pool = poolWith({ clock }, [new FakeSession()]);
    const opening = pool.open({}, { attemptTimeout: 20 });
    clock.advance(20);
    await expect(opening).rejects.toMatchObject({
      code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT',
      message: 'The session opened no stream within 20 ms',
    });
    expect(clock.timers).toBe(0);
  });
});

describe('an open timeout', () => {
  it('rejects, aborts the session, counts as a failure, and a late stream is destroyed', async () => {
    const clock = new ManualClock();
    const [session, other] = [new FakeSession(), new FakeSession().answers()];
    const pool = poolWith({ clock }, [session], [other]);
    const opening = pool.open({}, { timeout: 100 });
    clock.advance(99);
    expect(session.openCall(0).signal?.aborted).toBe(false);
    clock.advance(1);
    await expect(opening).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT', name: 'OpenTimeoutError' });
    expect(session.openCall(0).signal?.aborted).toBe(true);
    expect(slots(pool)).toEqual([0, 1]);
    const late = session.openCall(0).resolve();
    await queueDrained();
    expect(late.destroyed).toBe(true);
    expect(slots(pool)).toEqual([0, 0]);
    expect(other.streams).toHaveLength(0);
    expect(pool.stats()).toMatchObject({ openAttempts: 1, openFailures: 1 });
  });

  it('covers all attempts together', async () => {
    const clock = new ManualClock();
    const [first, second] = [new FakeSession(), new FakeSession()];
    const pool = poolWith({ clock }, [first], [second]);
    const opening = pool.open({}, { timeout: 100 });
    clock.advance(60);
    first.openCall(0).reject(new Error('refused'));
    await queueDrained();
    expect(second.opens).toHaveLength(1);
    clock.advance(40);
    await expect(opening).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT' });
  });

  it('stays what ended the open when the caller aborts a moment later', async () => {
    const clock = new ManualClock();
    const pool = poolWith({ clock }, [new FakeSession()]);
    const caller = new AbortController();
    const opening = pool.open({}, { timeout: 100, signal: caller.signal });
    clock.advance(100);
    caller.abort('too late');
    await expect(opening).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT' });
  });

  it("passes the caller's abort on to the session", async () => {
    const session = new FakeSession();
    const pool = poolWith({ clock: new ManualClock() }, [session]);
    const caller = new AbortController();
    const opening = pool.open({}, { timeout: 100, signal: caller.signal });
    caller.abort('enough');
    await expect(opening).rejects.toBe('enough');
    expect(session.openCall(0).signal?.reason).toBe('enough');
  });

  it('is made of nothing where none was given: no timer, and no AbortController without a signal or a timeout', async () => {
    const clock = new ManualClock();
    const timers = vi.spyOn(clock, 'setTimeout');
    const controllers = vi.fn();
    const { AbortController: Own } = globalThis;
    const caller = new AbortController();
    vi.stubGlobal(
      'AbortController',
      class extends Own {
        constructor() {
          super();
          controllers();
        }
      },
    );
    try {
      const pool = poolWith({ clock }, [new FakeSession().answers()]);
      await pool.open();
      await pool.open({}, { acknowledged: false });
      expect([timers.mock.calls.length, controllers.mock.calls.length]).toEqual([0, 0]);
      await pool.open({}, { signal: caller.signal });
      expect([timers.mock.calls.length, controllers.mock.calls.length]).toEqual([0, 1]);
      await pool.open({}, { timeout: 5 });
      expect([timers.mock.calls.length, controllers.mock.calls.length]).toEqual([1, 2]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('leaves no timer and no listener behind', async () => {
    const clock = new ManualClock();
    const session = new FakeSession().answers();
    const pool = poolWith({ clock }, [session]);
    const caller = new AbortController();
    const events: string[] = [];
    const { signal } = caller;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      events.push('on');
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      events.push('off');
      remove(...args);
    };
    await pool.open({}, { timeout: 100, signal });
    expect(events).toEqual(['on', 'off']);
    expect(clock.timers).toBe(0);
  });
});
