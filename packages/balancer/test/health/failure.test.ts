import { describe, expect, it } from 'vitest';
import type { FailureContext } from '../../src/health/failure.ts';
import type { SessionPool } from '../../src/pool.ts';
import { FakeSession, FakeStream, queueDrained } from '../../src/testing.ts';
import { errorOf, healthWorld as world } from '../support/health-world.ts';

describe('what counts', () => {
  const sessionError = (code: string) => errorOf({ code, scope: 'session' });
  const openErrors: [string, Error, number][] = [
    ['anything', new Error('anything'), 1],
    ['a session that is closed', sessionError('ERR_YAMUX_SESSION_CLOSED'), 1],
    ['a lost transport', sessionError('ERR_YAMUX_TRANSPORT_FAILED'), 1],
    ['keep-alive', sessionError('ERR_YAMUX_KEEP_ALIVE_TIMEOUT'), 1],
    ['a write stall', sessionError('ERR_YAMUX_WRITE_TIMEOUT'), 1],
    ['a protocol error', sessionError('ERR_YAMUX_PROTOCOL'), 1],
    ['a stalled peer', sessionError('ERR_YAMUX_PEER_STALLED'), 1],
    ['GoAway', sessionError('ERR_YAMUX_GO_AWAY'), 0],
    ['stream ids used up', sessionError('ERR_YAMUX_STREAMS_EXHAUSTED'), 0],
    ['a refused stream', errorOf({ code: 'ERR_YAMUX_STREAM_RESET', scope: 'stream', refused: true }), 0],
    ['a reset stream', errorOf({ code: 'ERR_YAMUX_STREAM_RESET', scope: 'stream', refused: false }), 0],
  ];

  it.each(openErrors)('an open that fails by %s', async (_what, error, counted) => {
    const { pool, add } = world();
    const { session, ref } = add('a', new FakeSession());
    session.refuses(error);
    await expect(pool.open()).rejects.toBe(error);
    expect(ref.snapshot()).toMatchObject({ consecutiveFailures: counted, openFailures: 1 });
    expect(ref.snapshot().lastError).toBe(counted === 1 ? error.message : undefined);
  });

  it('an open that takes too long', async () => {
    const { pool, add, clock } = world();
    const { ref } = add('a', new FakeSession());
    const open = pool.open({}, { timeout: 50 });
    clock.advance(50);
    await expect(open).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT' });
    expect(ref.snapshot().consecutiveFailures).toBe(1);
  });

  it('not an open that its caller gives up', async () => {
    const { pool, add } = world();
    const { ref } = add('a', new FakeSession());
    const controller = new AbortController();
    const open = pool.open({}, { signal: controller.signal });
    controller.abort(new Error('no more'));
    await expect(open).rejects.toThrow('no more');
    expect(ref.snapshot()).toMatchObject({ consecutiveFailures: 0, openFailures: 0 });
  });

  const streamErrors: [string, Error | undefined, number][] = [
    ['keep-alive', sessionError('ERR_YAMUX_KEEP_ALIVE_TIMEOUT'), 1],
    ['a lost transport', sessionError('ERR_YAMUX_TRANSPORT_FAILED'), 1],
    ['GoAway', sessionError('ERR_YAMUX_GO_AWAY'), 0],
    ['a reset', errorOf({ code: 'ERR_YAMUX_STREAM_RESET', scope: 'stream' }), 0],
    ['its user', undefined, 0],
    ["a browser's ECONNRESET, through pipeline()", errorOf({ code: 'ECONNRESET', syscall: 'read' }), 0],
    ['an abort', errorOf({ code: 'ABORT_ERR', name: 'AbortError' }), 0],
    ['a premature close', errorOf({ code: 'ERR_STREAM_PREMATURE_CLOSE' }), 0],
    ['a deadline', errorOf({ code: 'ETIMEDOUT' }), 0],
  ];

  it.each(streamErrors)('a stream that ends by %s', async (_what, error, counted) => {
    const { pool, add } = world();
    const { session, ref } = add('a', new FakeSession());
    session.answers();
    const stream = await pool.open();
    stream.on('error', () => {});
    stream.destroy(error);
    await queueDrained();
    expect(ref.snapshot().consecutiveFailures).toBe(counted);
  });

  it('a dead session once, however many streams and opens it takes with it', async () => {
    const { pool, add } = world();
    const { session, ref } = add('a', new FakeSession());
    session.answers();
    const streams = [await pool.open(), await pool.open(), await pool.open(), await pool.open()];
    const cause = sessionError('ERR_YAMUX_TRANSPORT_FAILED');
    for (const stream of streams) {
      stream.on('error', () => {});
      stream.destroy(cause);
    }
    await queueDrained();
    session.refuses(errorOf({ code: 'ERR_YAMUX_TRANSPORT_ENDED', scope: 'session', cause }));
    await expect(pool.open()).rejects.toThrow();
    expect(ref.snapshot()).toMatchObject({ consecutiveFailures: 1, healthy: true });
  });

  it('a dead session once, though one error says why and another only that it is over', async () => {
    const { pool, add } = world();
    const { session, ref } = add('a', new FakeSession());
    session.answers();
    const lost = errorOf({ code: 'ERR_YAMUX_TRANSPORT_FAILED', scope: 'session', cause: errorOf({ code: 'EPIPE' }) });
    (await pool.open()).on('error', () => {}).destroy(lost);
    await queueDrained();
    session.refuses(errorOf({ code: 'ERR_YAMUX_SESSION_CLOSED', scope: 'session', cause: lost }));
    await expect(pool.open()).rejects.toThrow();
    expect(ref.snapshot().consecutiveFailures).toBe(1);
  });

  it('an error whose causes go round in a circle', async () => {
    const { pool, add } = world();
    const { session, ref } = add('a', new FakeSession());
    const error = errorOf({ scope: 'session' });
    error.cause = errorOf({ cause: error });
    session.refuses(error);
    for (let open = 0; open < 2; open += 1) await expect(pool.open()).rejects.toBe(error);
    expect(ref.snapshot().consecutiveFailures).toBe(1);
  });

  it('never three browsers that hang up', async () => {
    const { pool, add, health } = world();
    const { session } = add('a', new FakeSession());
    session.answers();
    for (let browser = 0; browser < 10; browser += 1) {
      const stream = await pool.open();
      stream.on('error', () => {});
      stream.destroy(errorOf({ code: 'ECONNRESET' }));
      await queueDrained();
    }
    expect(health).toEqual([]);
  });

  it('does not hide an error that the user does not listen to', async () => {
    const { pool, add } = world();
    add('a', new FakeSession().answers());
    const stream = await pool.open();
    expect(stream.listenerCount('error')).toBe(0);
    stream.destroy();
  });
});

describe('a classifier', () => {
  it('sees each error with its operation, its session and what would be done, and decides', async () => {
    const seen: FailureContext[] = [];
    const { pool, add } = world({
      failureClassifier: (context) => {
        seen.push(context);
        return context.operation === 'stream-write' && (context.error as { code?: string }).code === 'ETIMEDOUT'
          ? 'count'
          : 'ignore';
      },
    });
    const { session, ref } = add('a', new FakeSession());
    session.refuses(new Error('broken'));
    await expect(pool.open()).rejects.toThrow('broken');
    expect(ref.snapshot().consecutiveFailures).toBe(0);

    const blocked = new FakeStream();
    blocked._write = () => {};
    session.answers(() => blocked);
    const writing = await pool.open();
    writing.on('error', () => {});
    writing.write('waits');
    writing.destroy(errorOf({ code: 'ETIMEDOUT' }));
    await queueDrained();
    expect(ref.snapshot().consecutiveFailures).toBe(1);

    session.answers();
    const reading = await pool.open();
    reading.on('error', () => {});
    reading.destroy(errorOf({ code: 'ETIMEDOUT' }));
    await queueDrained();
    expect(ref.snapshot().consecutiveFailures).toBe(1);
    expect(seen.map(({ operation, defaultDecision, session: { key } }) => [operation, defaultDecision, key])).toEqual([
      ['open-stream', 'count', 'a'],
      ['stream-write', 'ignore', 'a'],
      ['stream-read', 'ignore', 'a'],
    ]);
  });

  it('judges an error once, when the stream dies before the acknowledgement that its caller waits for', async () => {
    const closed: unknown[] = [];
    const { pool, add } = world({ failureClassifier: () => 'count', hooks: { onStreamClose: (e) => closed.push(e) } });
    const { session, ref } = add('a', new FakeSession());
    const open = pool.open({}, { acknowledged: true });
    const stream = session.openCall(0).resolve();
    await queueDrained();
    stream.destroy(new Error('cut'));
    await expect(open).rejects.toThrow('cut');
    await queueDrained();
    expect(ref.snapshot()).toMatchObject({ consecutiveFailures: 1, activeStreams: 0 });
    expect(closed).toEqual([]);
  });

  it("leaves the rules as they are with 'default'", async () => {
    const { add, fail } = world({ failureClassifier: () => 'default' });
    const { ref } = add('a', new FakeSession());
    await fail('a', 2);
    expect(ref.snapshot().consecutiveFailures).toBe(2);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['returns nonsense', () => 'yes'],
    ['is async', () => Promise.reject(new Error('mine'))],
  ])('that %s is told to onHookPanic, and the rules hold', async (_what, classifier) => {
    const { add, fail, panics } = world({ failureClassifier: classifier as never });
    const { ref } = add('a', new FakeSession());
    await fail('a', 1);
    await queueDrained();
    expect(ref.snapshot().consecutiveFailures).toBe(1);
    expect(panics).toEqual([{ hook: 'failureClassifier', error: expect.any(Error) }]);
  });

  it.each([
    ['removes the session', (pool: SessionPool) => pool.removeSession('a')],
    ['drains it', (pool: SessionPool) => void pool.drainSession('a')],
    ['opens another stream', (pool: SessionPool) => void pool.open({ sessionKey: 'b' })],
    ['adds a session', (pool: SessionPool) => void pool.add(new FakeSession(), { key: 'c' })],
    ['destroys the pool', (pool: SessionPool) => pool.destroy()],
  ])('that %s from inside breaks nothing', async (_what, act) => {
    let done = false;
    const { pool, add, panics } = world({
      failureClassifier: () => {
        if (!done) act(pool);
        done = true;
        return 'count';
      },
      healthFailureThreshold: 1,
    });
    const { session } = add('a', new FakeSession());
    add('b', new FakeSession().answers());
    session.refuses(new Error('broken'));
    await expect(pool.open({ sessionKey: 'a' })).rejects.toThrow('broken');
    await queueDrained();
    expect(panics).toEqual([]);
    expect(pool.stats().pendingStreams).toBe(0);
  });
});
