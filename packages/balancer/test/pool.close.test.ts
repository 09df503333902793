import { describe, expect, it } from 'vitest';
import { SessionPool } from '../src/pool.ts';
import { FakeSession, ManualClock, queueDrained } from '../src/testing.ts';
import { poolWith } from './support/pool-with.ts';

const CLOSED = { code: 'ERR_YAMUX_POOL_CLOSED', name: 'PoolClosedError' };
const open = Symbol('open');
const state = (closing: Promise<void>): Promise<unknown> =>
  Promise.race([closing, queueDrained().then((): typeof open => open)]);

describe('SessionPool.close', () => {
  it('refuses opens and sessions, waits for streams, and lets go of sessions that stay open', async () => {
    const pool = new SessionPool();
    const session = new FakeSession().answers();
    const ref = pool.add(session);
    const stream = await pool.open();
    const closing = pool.close();
    await expect(pool.open()).rejects.toMatchObject(CLOSED);
    expect(() => pool.add(new FakeSession())).toThrow(expect.objectContaining(CLOSED));
    expect(await state(closing)).toBe(open);
    stream.destroy();
    await closing;
    expect(ref.removed).toBe(true);
    expect([session.watchers, session.state, session.closeCalls]).toEqual([0, 'open', 0]);
  });

  it('waits on whatever becomes of the drains meanwhile', async () => {
    const clock = new ManualClock();
    const pool = new SessionPool({ clock });
    const session = new FakeSession().answers();
    const ref = pool.add(session);
    const stream = await pool.open();
    ref.drain({ timeout: 10 });
    const closing = pool.close();
    clock.advance(10);
    expect(await state(closing)).toBe(open);
    ref.resume();
    expect(await state(closing)).toBe(open);
    stream.destroy();
    await closing;
  });

  it('lets an open that the session has in hand finish', async () => {
    const pool = new SessionPool();
    const session = new FakeSession();
    pool.add(session);
    const opening = pool.open();
    const closing = pool.close();
    const stream = session.openCall(0).resolve();
    expect(await opening).toBe(stream);
    expect(await state(closing)).toBe(open);
    stream.destroy();
    await closing;
  });

  it('ends what is left at its timeout, with an error', async () => {
    const clock = new ManualClock();
    const pool = new SessionPool({ clock });
    const [session, silent] = [new FakeSession().answers(), new FakeSession()];
    pool.add(session);
    pool.add(silent);
    const stream = (await pool.open()).on('error', () => {});
    const opening = pool.open();
    const closing = pool.close({ timeout: 100 });
    clock.advance(99);
    expect(await state(closing)).toBe(open);
    clock.advance(1);
    await expect(opening).rejects.toMatchObject(CLOSED);
    await closing;
    expect(stream.errored).toMatchObject(CLOSED);
    expect(session.state).toBe('open');
  });

  it('shares one end among repeated calls, and leaves no timer', async () => {
    const clock = new ManualClock();
    const pool = new SessionPool({ clock });
    pool.add(new FakeSession());
    await Promise.all([pool.close({ timeout: 100 }), pool.close(), pool[Symbol.asyncDispose]()]);
    expect(clock.timers).toBe(0);
  });

  it('ends at the earliest of the timeouts that it was given, also after a close without one', async () => {
    const clock = new ManualClock();
    const session = new FakeSession().answers();
    const pool = poolWith({ clock }, [session]);
    const stream = await pool.open();
    stream.on('error', () => {});
    const closing = pool.close();
    const sooner = pool.close({ timeout: 100 });
    void pool.close({ timeout: 500 });
    void pool.close({ timeout: 50 });
    expect(clock.timers).toBe(1);
    clock.advance(49);
    expect(stream.destroyed).toBe(false);
    clock.advance(1);
    expect(stream.destroyed).toBe(true);
    await Promise.all([closing, sooner]);
    await pool.close({ timeout: 10 });
    expect(clock.timers).toBe(0);
  });

  it('refuses a timeout that is no delay', async () => {
    const pool = new SessionPool();
    await expect(pool.close({ timeout: Number.NaN })).rejects.toThrow(RangeError);
    pool.add(new FakeSession());
  });

  it('is what `await using` does, with five seconds for the streams', async () => {
    const clock = new ManualClock();
    const pool = new SessionPool({ clock });
    pool.add(new FakeSession().answers());
    const stream = (await pool.open()).on('error', () => {});
    const closing = pool[Symbol.asyncDispose]();
    clock.advance(4_999);
    expect(await state(closing)).toBe(open);
    clock.advance(1);
    await closing;
    expect(stream.errored).toMatchObject(CLOSED);
  });
});

describe('SessionPool.destroy', () => {
  it('ends streams with the error, waiting opens with PoolClosedError, and lets go of the sessions', async () => {
    const pool = new SessionPool();
    const [session, silent] = [new FakeSession().answers(), new FakeSession()];
    const refs = [pool.add(session), pool.add(silent)];
    const stream = (await pool.open()).on('error', () => {});
    const opening = pool.open();
    const error = new Error('on fire');
    pool.destroy(error);
    expect(stream.errored).toBe(error);
    await expect(opening).rejects.toMatchObject({ ...CLOSED, cause: error });
    expect(refs.map(({ removed }) => removed)).toEqual([true, true]);
    expect([session.watchers, silent.watchers, session.state]).toEqual([0, 0, 'open']);
    const late = silent.openCall(0).resolve();
    await queueDrained();
    expect(late.destroyed).toBe(true);
    expect(refs.map((ref) => ref.snapshot())).toMatchObject([
      { activeStreams: 0, pendingStreams: 0 },
      { activeStreams: 0, pendingStreams: 0 },
    ]);
    await expect(pool.open()).rejects.toMatchObject(CLOSED);
    await pool.close();
  });

  it('ends streams with PoolClosedError where no error is given', async () => {
    const pool = new SessionPool();
    pool.add(new FakeSession().answers());
    const stream = (await pool.open()).on('error', () => {});
    pool.destroy();
    expect(stream.errored).toMatchObject(CLOSED);
  });

  it('ends a close that waits', async () => {
    const pool = new SessionPool();
    pool.add(new FakeSession().answers());
    (await pool.open()).on('error', () => {});
    const closing = pool.close();
    pool.destroy();
    await closing;
  });
});
