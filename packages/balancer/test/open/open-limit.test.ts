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
    expect(session.openCall(0).signal).toBe(caller.signal);
    caller.abort('enough');
    await expect(opening).rejects.toBe('enough');
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

  it('is made of nothing where none was given: no timer, and no AbortController without a timeout', async () => {
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
      await pool.open({}, { signal: caller.signal, acknowledged: false });
      expect([timers.mock.calls.length, controllers.mock.calls.length]).toEqual([0, 0]);
      await pool.open({}, { timeout: 5 });
      expect([timers.mock.calls.length, controllers.mock.calls.length]).toEqual([1, 1]);
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
