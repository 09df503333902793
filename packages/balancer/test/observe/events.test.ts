import { describe, expect, it } from 'vitest';
import type { PoolOptions } from '../../src/options.ts';
import { SessionPool } from '../../src/pool.ts';
import { FakeSession, FakeStream, ManualClock, queueDrained } from '../../src/testing.ts';
import { errorOf } from '../support/health-world.ts';
import { Recorder } from '../support/recorder.ts';

interface Scene {
  readonly pool: SessionPool;
  readonly clock: ManualClock;
  readonly recorder: Recorder;
}

function scene(options: PoolOptions = {}): Scene {
  const clock = new ManualClock();
  const recorder = new Recorder();
  return { pool: new SessionPool({ clock, hooks: recorder.hooks, ...options }), clock, recorder };
}

describe('the observers of a pool hear of sessions', () => {
  it('that join and leave, and why', () => {
    const { pool, recorder } = scene();
    const [removed, failed, ended] = [new FakeSession(), new FakeSession(), new FakeSession()];
    pool.add(removed, { key: 'removed' }).remove();
    pool.add(failed, { key: 'failed' });
    const error = new Error('transport failed');
    failed.end(error);
    pool.add(ended, { key: 'ended' });
    ended.end();
    pool.add(new FakeSession(), { key: 'kept' });
    pool.destroy();
    expect(recorder.names).toEqual(Array(4).fill(['onSessionAdded', 'onSessionRemoved']).flat());
    expect(recorder.of('onSessionAdded').map(({ snapshot }) => [snapshot.key, snapshot.available])).toEqual([
      ['removed', true],
      ['failed', true],
      ['ended', true],
      ['kept', true],
    ]);
    expect(recorder.of('onSessionRemoved')).toMatchObject([
      { snapshot: { key: 'removed', available: false }, reason: 'removed', error: undefined },
      { snapshot: { key: 'failed', available: false }, reason: 'closed', error },
      { snapshot: { key: 'ended', available: false }, reason: 'closed', error: undefined },
      { snapshot: { key: 'kept', available: false }, reason: 'pool-closed', error: undefined },
    ]);
  });

  it('that drain and resume, once each, whatever made them', async () => {
    const { pool, recorder } = scene({ openAttempts: 1 });
    const [byHand, byPeer, byError] = [new FakeSession(), new FakeSession(), new FakeSession()];
    const ref = pool.add(byHand, { key: 'by hand' });
    ref.drain('first');
    ref.drain('again');
    ref.resume();
    ref.resume();
    pool.add(byPeer, { key: 'by peer' });
    byPeer.emit('goAway', 0);
    byPeer.emit('goAway', 0);
    pool.add(byError.refuses(errorOf({ code: 'ERR_YAMUX_STREAMS_EXHAUSTED' })), { key: 'by error' });
    await pool.open({ sessionKey: 'by error' }).catch(() => {});
    const told = recorder.of('onDrain').map(({ snapshot, draining }) => [snapshot.key, snapshot.drainReason, draining]);
    expect(told).toEqual([
      ['by hand', 'first', true],
      ['by hand', undefined, false],
      ['by peer', 'go-away', true],
      ['by error', 'streams-exhausted', true],
    ]);
    for (const { snapshot, draining } of recorder.of('onDrain')) expect(snapshot.draining).toBe(draining);
  });

  it('that become unhealthy, and healthy again', async () => {
    const { pool, recorder, clock } = scene({ openAttempts: 1, healthFailureThreshold: 1, healthProbeInterval: 100 });
    const session = new FakeSession().refuses(new Error('broken'));
    pool.add(session, { key: 'a' });
    await pool.open().catch(() => {});
    clock.advance(100);
    session.answers();
    await pool.open();
    session.streams[0]?.acknowledge();
    expect(recorder.of('onHealthChange')).toMatchObject([
      { snapshot: { key: 'a', healthy: false }, healthy: false, reason: '1 failure in a row, the last: broken' },
      { snapshot: { key: 'a', healthy: true }, healthy: true, reason: 'its trial was answered' },
    ]);
  });
});

describe('the observers of a pool hear of opens', () => {
  it('that succeed, how fast, and of the end of their streams, when the slot is free', async () => {
    const seen: number[] = [];
    const pool: SessionPool = new SessionPool({
      clock: new ManualClock(),
      hooks: {
        onOpen: () => seen.push(pool.stats().activeStreams),
        onStreamClose: () => seen.push(pool.stats().activeStreams),
      },
    });
    const { pool: timed, clock, recorder } = scene();
    const session = new FakeSession();
    timed.add(session, { key: 'a' });
    const opening = timed.open();
    clock.advance(7);
    session.openCall(0).resolve();
    const stream = (await opening).on('error', () => {});
    const error = new Error('reset');
    clock.advance(30);
    stream.destroy(error);
    await queueDrained();
    expect(recorder.of('onOpen')).toEqual([{ sessionKey: 'a', stream, attempt: 1, durationMs: 7 }]);
    expect(recorder.of('onStreamClose')).toEqual([{ sessionKey: 'a', stream, error, durationMs: 30 }]);
    pool.add(new FakeSession().answers());
    (await pool.open()).destroy();
    await queueDrained();
    expect(seen).toEqual([1, 0]);
  });

  it('whose streams are closed already: the end follows the beginning', async () => {
    const { pool, recorder } = scene();
    const stream = new FakeStream();
    stream.destroy();
    await queueDrained();
    pool.add(new FakeSession().answers(() => stream));
    await pool.open();
    expect(recorder.names.slice(1)).toEqual(['onOpen', 'onStreamClose']);
    expect(recorder.of('onStreamClose')[0]).toMatchObject({ stream, error: undefined });
  });

  it('whose streams outlive the membership of their session', async () => {
    const { pool, recorder } = scene();
    const ref = pool.add(new FakeSession().answers(), { key: 'a' });
    const stream = await pool.open();
    ref.remove();
    stream.destroy();
    await queueDrained();
    expect(recorder.of('onStreamClose')).toMatchObject([{ sessionKey: 'a', stream }]);
  });

  it('that another session makes good: a retry, and no error', async () => {
    const { pool, recorder, clock } = scene();
    const [bad, good] = [new FakeSession(), new FakeSession().answers()];
    pool.add(bad, { key: 'bad' });
    pool.add(good, { key: 'good' });
    const opening = pool.open();
    const error = new Error('refused');
    clock.advance(5);
    bad.openCall(0).reject(error);
    const stream = await opening;
    expect(recorder.told.slice(2)).toEqual([
      ['onRetry', { sessionKey: 'good', attempt: 2, failedSessionKey: 'bad', error }],
      ['onOpen', { sessionKey: 'good', stream, attempt: 2, durationMs: 5 }],
    ]);
  });

  it('that fail on the last session they may try', async () => {
    const { pool, recorder } = scene();
    const errors = [new Error('one'), new Error('two'), new Error('three')];
    for (const [index, error] of errors.entries()) pool.add(new FakeSession().refuses(error), { key: `s${index}` });
    await expect(pool.open()).rejects.toBe(errors[1]);
    expect(recorder.told.slice(3)).toEqual([
      ['onRetry', { sessionKey: 's1', attempt: 2, failedSessionKey: 's0', error: errors[0] }],
      ['onOpenError', { sessionKey: 's1', attempt: 2, durationMs: 0, error: errors[1], aborted: false }],
    ]);
  });

  it('that fail on the only session there is, though another try was allowed', async () => {
    const { pool, recorder } = scene();
    const error = new Error('refused');
    pool.add(new FakeSession().refuses(error), { key: 'a' });
    await expect(pool.open()).rejects.toBe(error);
    expect(recorder.names).toEqual(['onSessionAdded', 'onOpenError']);
    expect(recorder.of('onOpenError')).toMatchObject([{ sessionKey: 'a', attempt: 1, error }]);
  });

  it('for which there is no session', async () => {
    const { pool, recorder } = scene();
    await expect(pool.open()).rejects.toThrow('The pool is empty');
    pool.add(new FakeSession()).drain();
    await expect(pool.open()).rejects.toThrow('1 draining');
    expect(recorder.of('onOpenError')).toMatchObject([
      { sessionKey: undefined, attempt: 0, error: { code: 'ERR_YAMUX_POOL_NO_MATCHING_SESSION' }, aborted: false },
      { sessionKey: undefined, attempt: 0, error: { code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION' }, aborted: false },
    ]);
  });

  it('that their caller gives up, or that take too long', async () => {
    const { pool, recorder, clock } = scene();
    pool.add(new FakeSession(), { key: 'a' });
    const caller = new AbortController();
    const aborted = pool.open({}, { signal: caller.signal });
    const late = pool.open({}, { timeout: 50 });
    caller.abort('enough');
    await expect(aborted).rejects.toBe('enough');
    clock.advance(50);
    await expect(late).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT' });
    expect(recorder.of('onOpenError')).toMatchObject([
      { sessionKey: 'a', attempt: 1, error: 'enough', aborted: true, durationMs: 0 },
      { sessionKey: 'a', attempt: 1, error: { code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT' }, aborted: false, durationMs: 50 },
    ]);
    expect(pool.stats().openFailures).toBe(1);
  });

  it('that a strategy or the end of the pool makes impossible', async () => {
    const broken = scene({ strategy: { name: 'broken', pick: () => -1 } });
    broken.pool.add(new FakeSession());
    await broken.pool.open().catch(() => {});
    expect(broken.recorder.of('onOpenError')).toMatchObject([
      { sessionKey: undefined, attempt: 0, error: { code: 'ERR_YAMUX_POOL_INVALID_STRATEGY' } },
    ]);
    const { pool, recorder } = scene();
    pool.add(new FakeSession(), { key: 'a' });
    const waiting = pool.open();
    pool.destroy();
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_CLOSED' });
    await expect(pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_CLOSED' });
    expect(recorder.of('onOpenError')).toMatchObject([
      { sessionKey: 'a', attempt: 1, aborted: false },
      { sessionKey: undefined, attempt: 0, aborted: false },
    ]);
    expect(pool.stats().openFailures).toBe(0);
  });

  it('but not of calls that are wrong in themselves', async () => {
    const { pool, recorder } = scene();
    await expect(pool.open({}, { timeout: -1 })).rejects.toThrow(RangeError);
    await expect(pool.open({ sessionKey: 1 } as never)).rejects.toThrow(TypeError);
    await expect(pool.open({}, { signal: AbortSignal.abort('before') })).rejects.toBe('before');
    expect(recorder.told).toEqual([]);
  });

  it('and of no stream that never had a user', async () => {
    const { pool, recorder } = scene({ openAttempts: 1 });
    const session = new FakeSession();
    pool.add(session);
    const opening = pool.open({}, { acknowledged: true });
    session.openCall(0).resolve().destroy(new Error('refused'));
    await expect(opening).rejects.toThrow('refused');
    const caller = new AbortController();
    const givenUp = pool.open({}, { signal: caller.signal });
    caller.abort('enough');
    await expect(givenUp).rejects.toBe('enough');
    session.openCall(1).resolve();
    await queueDrained();
    expect(recorder.names.slice(1)).toEqual(['onOpenError', 'onOpenError']);
  });
});

describe('the observers of a pool hear of bindings', () => {
  it('when an open has confirmed them, once for a burst, and again when the key moves', async () => {
    const { pool, recorder } = scene({ strategy: 'affinity' });
    const [a, b] = [new FakeSession().answers(), new FakeSession().answers()];
    const ref = pool.add(a, { key: 'a' });
    const opens = [pool.open({ affinityKey: 'x' }), pool.open({ affinityKey: 'x' })];
    expect(recorder.of('onAffinityBind')).toEqual([]);
    await Promise.all(opens);
    await pool.open({ affinityKey: 'x' });
    expect(recorder.of('onAffinityBind')).toEqual([{ kind: 'affinityKey', key: 'x', sessionKey: 'a' }]);
    pool.add(b, { key: 'b' });
    ref.drain();
    await pool.open({ affinityKey: 'x' });
    expect(recorder.of('onAffinityBind').slice(1)).toEqual([{ kind: 'affinityKey', key: 'x', sessionKey: 'b' }]);
    expect(recorder.of('onAffinityEvict')).toEqual([]);
    pool.removeSession('b');
    expect(recorder.of('onAffinityEvict')).toEqual([
      { kind: 'affinityKey', key: 'x', sessionKey: 'b', reason: 'removed' },
    ]);
  });

  it('but not of those that came to nothing', async () => {
    const { pool, recorder } = scene({ strategy: 'affinity', openAttempts: 1 });
    const session = new FakeSession();
    pool.add(session, { key: 'a' });
    const failing = pool.open({ affinityKey: 'x' });
    session.openCall(0).reject(new Error('refused'));
    await expect(failing).rejects.toThrow('refused');
    void pool.open({ affinityKey: 'y' }).catch(() => {});
    pool.removeSession('a');
    expect(recorder.of('onAffinityBind')).toEqual([]);
    expect(recorder.of('onAffinityEvict')).toEqual([]);
  });
});
