import { describe, expect, it } from 'vitest';
import type { DrainResult } from '../../src/member/drain.ts';
import type { SessionRef } from '../../src/member/session-ref.ts';
import { SessionPool } from '../../src/pool.ts';
import type { PoolableSession } from '../../src/poolable-session.ts';
import { FakeSession, type FakeStream, ManualClock, queueDrained } from '../../src/testing.ts';

interface Scene {
  readonly clock: ManualClock;
  readonly pool: SessionPool;
  readonly session: FakeSession;
  readonly ref: SessionRef;
  /** Opens so many streams before the test begins. */
  readonly streams: readonly FakeStream[];
}

async function scene(streams: number): Promise<Scene> {
  const clock = new ManualClock();
  const pool = new SessionPool({ clock, openAttempts: 1 });
  const session = new FakeSession().answers();
  const ref = pool.add(session, { key: 'a' });
  for (let open = 0; open < streams; open += 1) (await pool.open()).on('error', () => {});
  return { clock, pool, session, ref, streams: session.streams };
}

const pending = Symbol('pending');
const now = (done: Promise<DrainResult>): Promise<DrainResult | typeof pending> =>
  Promise.race([done, queueDrained().then((): typeof pending => pending)]);

describe('drain', () => {
  it('stops new streams before it returns, leaves live ones alone, and is done when the last has closed', async () => {
    const { clock, pool, ref, streams } = await scene(2);
    const startedAt = clock.now();
    const { done } = ref.drain('rolling update');
    await expect(pool.open()).rejects.toMatchObject({ counts: { closed: 0, draining: 1, full: 0 } });
    clock.advance(5_000);
    expect(ref.snapshot()).toMatchObject({
      available: false,
      draining: true,
      drainReason: 'rolling update',
      drainStartedAt: startedAt,
      activeStreams: 2,
    });
    streams[0]?.destroy();
    expect(await now(done)).toBe(pending);
    expect(streams[1]?.destroyed).toBe(false);
    streams[1]?.destroy();
    expect(await done).toEqual({ outcome: 'drained', remaining: 0 });
    expect(ref.snapshot().draining).toBe(true);
  });

  it('is done at once where nothing is open', async () => {
    const { ref } = await scene(0);
    expect(await ref.drain().done).toEqual({ outcome: 'drained', remaining: 0 });
  });

  it('waits for opens that the session has in hand', async () => {
    const { pool, ref, session } = await scene(0);
    session.answers(undefined);
    const opening = pool.open();
    const { done } = ref.drain();
    const stream = await opening;
    expect(await now(done)).toBe(pending);
    stream.destroy();
    expect(await done).toEqual({ outcome: 'drained', remaining: 0 });
  });

  it('shares done with an earlier drain, keeps its start, and takes the newer reason', async () => {
    const { clock, ref } = await scene(1);
    const first = ref.drain('first');
    const startedAt = ref.snapshot().drainStartedAt;
    clock.advance(10);
    expect(ref.drain('second').done).toBe(first.done);
    expect(ref.drain().done).toBe(first.done);
    expect(ref.snapshot()).toMatchObject({ drainReason: 'second', drainStartedAt: startedAt });
  });

  it.each([
    ['keep', false, 0],
    ['reset', true, 0],
    ['close', true, 1],
  ] as const)(
    'tells at the time limit what is left, and with onTimeout %s does just that',
    async (onTimeout, reset, closes) => {
      const { clock, ref, session, streams } = await scene(2);
      const { done } = ref.drain({ reason: 'update', timeout: 1_000, onTimeout });
      clock.advance(999);
      expect(await now(done)).toBe(pending);
      clock.advance(1);
      expect(await done).toEqual({ outcome: 'timeout', remaining: 2 });
      for (const stream of streams) expect(stream.destroyed).toBe(reset);
      if (reset) {
        expect(streams[0]?.errored).toMatchObject({
          code: 'ERR_YAMUX_POOL_DRAIN_TIMEOUT',
          message: 'Not drained within 1000 ms (update)',
        });
      }
      expect(session.closeCalls).toBe(closes);
    },
  );

  it('rejects opens that still wait when it resets, and they go elsewhere if they may', async () => {
    const clock = new ManualClock();
    const pool = new SessionPool({ clock });
    const [stuck, other] = [new FakeSession(), new FakeSession().answers()];
    const ref = pool.add(stuck);
    const opening = pool.openStream();
    const otherRef = pool.add(other);
    ref.drain({ timeout: 10, onTimeout: 'reset' });
    clock.advance(10);
    expect((await opening).session).toBe(otherRef);
    const late = stuck.openCall(0).resolve();
    await queueDrained();
    expect(late.destroyed).toBe(true);
  });

  it('falls back to destroy() where a session has no close(), and says so at once where it has neither', async () => {
    const clock = new ManualClock();
    const pool = new SessionPool({ clock });
    const bare: PoolableSession = new FakeSession().answers();
    bare.close = undefined as never;
    bare.destroy = undefined as never;
    const ref = pool.add(bare);
    (await pool.open()).on('error', () => {});
    expect(() => ref.drain({ timeout: 1, onTimeout: 'close' })).toThrow('Expected a session with close() or destroy()');
    expect(ref.snapshot().draining).toBe(false);
    let destroyed = 0;
    bare.destroy = () => {
      destroyed += 1;
    };
    ref.drain({ timeout: 1, onTimeout: 'close' });
    clock.advance(1);
    expect(destroyed).toBe(1);
  });

  it('survives a session whose close() fails', async () => {
    const { clock, ref, session } = await scene(1);
    session.close = () => Promise.reject(new Error('cannot close'));
    const { done } = ref.drain({ timeout: 1, onTimeout: 'close' });
    clock.advance(1);
    expect(await done).toEqual({ outcome: 'timeout', remaining: 1 });
    session.close = () => {
      throw new Error('cannot close');
    };
    ref.drain({ timeout: 1, onTimeout: 'close' });
    expect(() => clock.advance(1)).not.toThrow();
  });

  it('can be waited for anew after its time limit', async () => {
    const { clock, ref, streams } = await scene(1);
    const startedAt = clock.now();
    const first = ref.drain({ timeout: 10 });
    clock.advance(10);
    expect(await first.done).toEqual({ outcome: 'timeout', remaining: 1 });
    const second = ref.drain();
    expect(ref.snapshot().drainStartedAt).toBe(startedAt);
    streams[0]?.destroy();
    expect(await second.done).toEqual({ outcome: 'drained', remaining: 0 });
  });

  it('takes a new time limit in place of the old one', async () => {
    const { clock, ref } = await scene(1);
    const { done } = ref.drain({ timeout: 10 });
    ref.drain({ timeout: 100 });
    expect(clock.timers).toBe(1);
    clock.advance(99);
    expect(await now(done)).toBe(pending);
    clock.advance(1);
    expect(await done).toEqual({ outcome: 'timeout', remaining: 1 });
  });

  it.each([
    ['resume', (s: Scene) => s.ref.resume(), 'resumed', 1],
    ['remove', (s: Scene) => s.ref.remove(), 'removed', 1],
    ['the end of the session', (s: Scene) => s.session.end(), 'removed', 1],
    ['the last close', (s: Scene) => s.streams[0]?.destroy(), 'drained', 0],
  ] as const)('is settled by %s, and leaves no timer', async (_what, act, outcome, remaining) => {
    const set = await scene(1);
    const { done } = set.ref.drain({ timeout: 10 });
    act(set);
    expect(await done).toEqual({ outcome, remaining });
    expect(set.clock.timers).toBe(0);
  });

  it('is answered on a session that has left', async () => {
    const { ref } = await scene(1);
    ref.remove();
    expect(await ref.drain().done).toEqual({ outcome: 'removed', remaining: 1 });
  });

  it.each([
    [{ timeout: -1 }, 'Expected timeout to be between 0 and 2147483647 ms, got -1'],
    [{ onTimeout: 'kill' }, 'Expected onTimeout to be one of keep, reset, close, got kill'],
    [{ reason: 5 }, 'Expected reason to be a string, got number'],
  ])('refuses %o, and drains nothing', async (options, message) => {
    const { ref } = await scene(0);
    expect(() => ref.drain(options as never)).toThrow(message);
    expect(ref.snapshot().draining).toBe(false);
  });
});

describe('resume', () => {
  it('makes the session available again, once', async () => {
    const { pool, ref } = await scene(0);
    ref.drain('pause');
    expect(ref.resume()).toBe(true);
    expect(ref.resume()).toBe(false);
    expect(ref.snapshot()).toMatchObject({ available: true, draining: false, drainReason: undefined });
    await pool.open();
  });

  it('is refused after the session has left', async () => {
    const { ref } = await scene(0);
    ref.drain();
    ref.remove();
    expect(ref.resume()).toBe(false);
  });
});

describe('by key', () => {
  it('drains and resumes like the handle', async () => {
    const { pool, ref } = await scene(0);
    const { done } = pool.drainSession('a', 'why');
    expect(await done).toEqual({ outcome: 'drained', remaining: 0 });
    expect(ref.snapshot().drainReason).toBe('why');
    expect(pool.resumeSession('a')).toBe(true);
  });

  it('refuses a key that is not there', async () => {
    const { pool } = await scene(0);
    const unknown = expect.objectContaining({
      code: 'ERR_YAMUX_POOL_UNKNOWN_SESSION',
      message: "No session has key 'z'",
    });
    expect(() => pool.drainSession('z')).toThrow(unknown);
    expect(() => pool.resumeSession('z')).toThrow(unknown);
  });
});
