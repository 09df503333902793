import type { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { FakeSession, queueDrained } from '../src/testing.ts';
import { errorOf, INTERVAL, healthWorld as world } from './support/health-world.ts';

describe('a session whose peer refuses a stream', () => {
  const refusal = errorOf({ code: 'ERR_YAMUX_STREAM_RESET', scope: 'stream', refused: true });

  it('is passed over for a second, and for no longer', async () => {
    const { pool, add, clock, next } = world({ openAttempts: 2 });
    const { session, ref } = add('a', new FakeSession());
    add('b', new FakeSession().answers());
    session.answers(() => {
      throw refusal;
    });
    expect(await next()).toBe('b');
    expect(ref.snapshot()).toMatchObject({ full: true, healthy: true, available: false });
    session.answers();
    expect([await next(), await next()].join('')).toBe('bb');
    clock.advance(999);
    expect(await next()).toBe('b');
    clock.advance(1);
    expect(pool.stats().sessionsAvailable).toBe(2);
    expect(await next()).toBe('a');
  });

  it('is back as soon as one of its streams closes', async () => {
    const { pool, add } = world();
    const { session, ref } = add('a', new FakeSession());
    session.answers();
    const living = await pool.open();
    session.refuses(refusal);
    await expect(pool.open()).rejects.toBe(refusal);
    await expect(pool.open()).rejects.toMatchObject({ counts: { full: 1 } });
    living.destroy();
    await queueDrained();
    expect(ref.snapshot()).toMatchObject({ full: false, available: true });
  });

  it('is not back when an open that it had not answered comes to nothing: no stream of it has closed', async () => {
    const { pool, add } = world();
    const { session, ref } = add('a', new FakeSession());
    const [refused, broken] = [pool.open(), pool.open()];
    session.openCall(0).reject(refusal);
    await expect(refused).rejects.toBe(refusal);
    session.openCall(1).reject(new Error('broken'));
    await expect(broken).rejects.toThrow('broken');
    expect(ref.snapshot()).toMatchObject({ full: true, available: false, pendingStreams: 0 });
  });

  it('is passed over too when the refusal comes after the stream was handed over', async () => {
    const { pool, add } = world();
    const { session, ref } = add('a', new FakeSession());
    session.answers();
    const stream: Duplex = await pool.open();
    stream.on('error', () => {});
    stream.destroy(refusal);
    await queueDrained();
    expect(ref.snapshot()).toMatchObject({ full: true, consecutiveFailures: 0, openFailures: 0 });
  });

  it('is passed over when the caller waited for the acknowledgement', async () => {
    const { pool, add } = world();
    const { session, ref } = add('a', new FakeSession());
    const open = pool.open({}, { acknowledged: true });
    const stream = session.openCall(0).resolve();
    await queueDrained();
    stream.destroy(refusal);
    await expect(open).rejects.toBe(refusal);
    expect(ref.snapshot()).toMatchObject({ full: true, openFailures: 1, activeStreams: 0, pendingStreams: 0 });
  });
});

describe('closeFailedSessions', () => {
  it('destroys the session with an error that says why, and the pool goes on without it', async () => {
    const removed = vi.fn();
    const { pool, add, fail } = world({ closeFailedSessions: true, hooks: { onSessionRemoved: removed } });
    const { session } = add('a', new FakeSession());
    await fail('a', 3);
    expect(session.destroyedWith).toMatchObject({
      code: 'ERR_YAMUX_POOL_SESSION_UNHEALTHY',
      message: "Session 'a' was closed as unhealthy: 3 failures in a row, the last: broken",
      cause: expect.objectContaining({ message: 'broken' }),
    });
    expect(pool.stats().sessionsTotal).toBe(0);
    expect(removed.mock.calls).toEqual([
      [{ snapshot: expect.objectContaining({ key: 'a' }), reason: 'closed', error: session.destroyedWith }],
    ]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('harms nothing when destroy() %s, and onHookPanic hears of it', async (_what, destroy) => {
    const { pool, add, fail, panics } = world({ closeFailedSessions: true });
    const { session, ref } = add('a', new FakeSession());
    session.destroy = destroy as never;
    await fail('a', 3);
    await queueDrained();
    expect(panics).toEqual([{ hook: 'session.destroy', error: expect.objectContaining({ message: 'mine' }) }]);
    expect(ref.snapshot()).toMatchObject({ healthy: false, pendingStreams: 0 });
    expect(pool.sessions()).toEqual([ref]);
  });

  it('is off by default', async () => {
    const { add, fail } = world();
    const { session } = add('a', new FakeSession());
    await fail('a', 3);
    expect(session.destroyedWith).toBeUndefined();
  });

  it('closes no more than its share at a time, and probes the rest as ever', async () => {
    const { pool, add, fail, clock } = world({ closeFailedSessions: true, maxEjectionPercent: 50 });
    const sessions = ['a', 'b', 'c'].map((key) => add(key, new FakeSession()).session);
    for (const key of ['a', 'b', 'c']) await fail(key, 3);
    expect(sessions.map(({ state }) => state)).toEqual(['closed', 'open', 'open']);
    clock.advance(INTERVAL);
    expect(await pool.openStream()).toMatchObject({ session: { key: 'b' } });
  });
});
