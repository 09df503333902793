import { describe, expect, it } from 'vitest';
import { FakeSession, FakeStream, queueDrained } from '../src/testing.ts';
import { errorOf } from './support/health-world.ts';
import { poolWith, slots } from './support/pool-with.ts';

describe('SessionPool.open', () => {
  it("resolves to the session's own stream, with one listener for its close and none for its error", async () => {
    const session = new FakeSession();
    const pool = poolWith({}, [session]);
    const opening = pool.open();
    expect(slots(pool)).toEqual([0, 1]);
    const own = new FakeStream();
    const [closeBefore, errorBefore] = [own.listenerCount('close'), own.listenerCount('error')];
    session.openCall(0).resolve(own);
    const stream = await opening;
    expect(stream).toBe(own);
    expect(stream.listenerCount('close')).toBe(closeBefore + 1);
    expect(stream.listenerCount('error')).toBe(errorBefore);
    expect(stream.readableFlowing).toBe(null);
    expect(slots(pool)).toEqual([1, 0]);
  });

  it('holds the slot through half-close, and until close', async () => {
    const session = new FakeSession().answers();
    const pool = poolWith({}, [session]);
    const stream = await pool.open();
    stream.end();
    await queueDrained();
    expect(slots(pool)).toEqual([1, 0]);
    stream.resume().push(null);
    await queueDrained();
    expect(slots(pool)).toEqual([0, 0]);
  });

  it.each([
    ['destroyed with an error', (stream: FakeStream) => stream.destroy(new Error('mine'))],
    ['destroyed twice', (stream: FakeStream) => stream.destroy().destroy()],
    [
      'closed twice over',
      (stream: FakeStream) => {
        stream.emit('close');
        stream.destroy();
      },
    ],
  ])('frees the slot once when the stream is %s', async (_how, end) => {
    const session = new FakeSession().answers();
    const pool = poolWith({}, [session]);
    const [stream] = [await pool.open(), await pool.open()];
    stream.on('error', () => {});
    end(stream as FakeStream);
    await queueDrained();
    expect(slots(pool)).toEqual([1, 0]);
  });

  it('frees the slot of a stream that is destroyed or even closed before the pool sees it', async () => {
    const session = new FakeSession();
    const pool = poolWith({}, [session]);
    const closed = new FakeStream();
    closed.destroy();
    await queueDrained();
    expect(closed.closed).toBe(true);
    for (const early of [closed, new FakeStream().destroy()]) {
      const opening = pool.open();
      session.opens.at(-1)?.resolve(early);
      expect(await opening).toBe(early);
      await queueDrained();
      expect(slots(pool)).toEqual([0, 0]);
    }
  });

  it('forgets a stream that has closed', async () => {
    const session = new FakeSession().answers();
    const pool = poolWith({}, [session]);
    const stream = await pool.open();
    stream.destroy();
    await queueDrained();
    let destroyed = 0;
    stream.destroy = () => {
      destroyed += 1;
      return stream;
    };
    pool.destroy();
    expect(destroyed).toBe(0);
  });

  it('never exceeds a cap, in a burst either, and fills a slot that comes free', async () => {
    const [a, b] = [new FakeSession(), new FakeSession().answers()];
    const pool = poolWith({ maxActiveStreams: 3, openAttempts: 1 }, [a], [b, { maxActiveStreams: 2 }]);
    const opens = await Promise.allSettled([
      ...Array.from({ length: 9 }, () => Promise.race([pool.open(), queueDrained()])),
    ]);
    expect(opens.filter(({ status }) => status === 'rejected')).toHaveLength(4);
    expect([a.opens.length, b.streams.length]).toEqual([3, 2]);
    expect(pool.stats()).toMatchObject({ sessionsAvailable: 0, sessionsCapacityLimited: 2 });
    b.streams[0]?.destroy();
    await queueDrained();
    await pool.open();
    expect(b.streams).toHaveLength(3);
    await expect(pool.open()).rejects.toMatchObject({ counts: { closed: 0, draining: 0, full: 2 } });
  });

  it('frees the slot when the session refuses, rejects, throws or gives no stream', async () => {
    const session = new FakeSession();
    const pool = poolWith({ maxActiveStreams: 1, openAttempts: 1, healthFailureThreshold: 0 }, [session]);
    const refused = pool.open();
    session.openCall(0).reject(new Error('refused'));
    await expect(refused).rejects.toThrow('refused');
    session.open = () => {
      throw new Error('thrown');
    };
    await expect(pool.open()).rejects.toThrow('thrown');
    session.open = () => Promise.resolve(undefined as never);
    await expect(pool.open()).rejects.toThrow("Expected open() of session 'session-1' to resolve to a Duplex");
    session.open = () => undefined as never;
    await expect(pool.open()).rejects.toThrow('to resolve to a Duplex, got undefined');
    expect(slots(pool)).toEqual([0, 0]);
    expect(pool.stats()).toMatchObject({ openAttempts: 4, openFailures: 4 });
  });

  it('takes the stream of a session that opens at once, without a promise', async () => {
    const session = new FakeSession();
    const own = new FakeStream();
    session.open = () => own as never;
    const pool = poolWith({ maxActiveStreams: 1 }, [session]);
    expect(await pool.open()).toBe(own);
    expect(slots(pool)).toEqual([1, 0]);
  });

  it('takes no error for one where a stream does not say what it ended with', async () => {
    const session = new FakeSession().answers();
    const pool = poolWith({ failureClassifier: () => 'count' }, [session]);
    const stream = await pool.open();
    Object.defineProperty(stream, 'errored', { value: undefined });
    stream.destroy();
    await queueDrained();
    expect(slots(pool)).toEqual([0, 0]);
    expect(pool.stats().sessions[0]?.consecutiveFailures).toBe(0);
  });

  it.each([
    [{ timeout: -1 }, 'Expected timeout to be between 0 and 2147483647 ms, got -1'],
    [{ timeout: Number.NaN }, 'Expected timeout to be between 0 and 2147483647 ms, got NaN'],
    [{ timeout: 2 ** 31 }, 'Expected timeout to be between 0 and 2147483647 ms, got 2147483648'],
  ])('refuses %o', async (options, message) => {
    await expect(poolWith({}, [new FakeSession()]).open({}, options)).rejects.toThrow(new RangeError(message));
  });
});

describe('a refused open', () => {
  it('is tried on another session, and each attempt is counted', async () => {
    const [bad, good] = [new FakeSession().refuses(new Error('refused')), new FakeSession().answers()];
    const pool = poolWith({}, [bad], [good]);
    expect((await pool.openStream()).session.session).toBe(good);
    expect(pool.stats()).toMatchObject({
      openAttempts: 2,
      openFailures: 1,
      sessions: [
        { openAttempts: 1, openFailures: 1 },
        { openAttempts: 1, openFailures: 0 },
      ],
    });
  });

  it("rejects with the last session's own error after openAttempts sessions", async () => {
    const errors = ['first', 'second', 'third'].map((message) => new Error(message));
    const pool = poolWith({ openAttempts: 2 }, ...errors.map((e): [FakeSession] => [new FakeSession().refuses(e)]));
    await expect(pool.open()).rejects.toBe(errors[1]);
    expect(pool.stats().sessions.map(({ openFailures }) => openFailures)).toEqual([1, 1, 0]);
  });

  it('is not tried on the same session again, nor outside the routing', async () => {
    const error = new Error('refused');
    const bad = new FakeSession().refuses(error);
    const pool = poolWith({ openAttempts: 5 }, [bad, { id: 'x' }], [new FakeSession().answers(), { id: 'y' }]);
    await expect(pool.open({ sessionId: 'x' })).rejects.toBe(error);
    expect(pool.stats().openAttempts).toBe(1);
  });

  it.each([
    ['has gone away', { code: 'ERR_YAMUX_GO_AWAY' }, 'draining'],
    ['is closing', { code: 'ERR_YAMUX_SESSION_CLOSED', scope: 'session' }, 'draining'],
    ['has no stream ids left', { code: 'ERR_YAMUX_STREAMS_EXHAUSTED' }, 'draining'],
    ['is full', { refused: true }, 'full'],
  ])('costs no attempt where a session %s: however many do, the next is tried', async (_what, facts, state) => {
    const rejection = Object.assign(new Error('not here'), facts);
    const others = Array.from({ length: 5 }, (): [FakeSession] => [new FakeSession().refuses(rejection)]);
    const pool = poolWith({ openAttempts: 1 }, ...others, [new FakeSession().answers(), { key: 'last' }]);
    expect((await pool.openStream()).session.key).toBe('last');
    expect(pool.stats().sessions.filter((session) => session[state as 'draining' | 'full'])).toHaveLength(5);
    expect(pool.stats()).toMatchObject({ openAttempts: 6, openFailures: 5 });
    pool.removeSession('last');
    await expect(pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION' });
  });

  it('is not tried elsewhere with openAttempts 1', async () => {
    const error = new Error('refused');
    const pool = poolWith({ openAttempts: 1 }, [new FakeSession().refuses(error)], [new FakeSession().answers()]);
    await expect(pool.open()).rejects.toBe(error);
  });

  it.each([
    ['ERR_YAMUX_GO_AWAY', 'go-away'],
    ['ERR_YAMUX_SESSION_CLOSED', 'session-closed'],
    ['ERR_YAMUX_STREAMS_EXHAUSTED', 'streams-exhausted'],
  ])('drains the session for good when it says %s', async (code, drainReason) => {
    const pool = poolWith(
      {},
      [new FakeSession().refuses(errorOf({ code })), { key: 'gone' }],
      [new FakeSession().answers()],
    );
    await pool.open();
    expect(pool.stats().sessions[0]).toMatchObject({ draining: true, drainReason, available: false });
    expect(pool.resumeSession('gone')).toBe(false);
  });
});
