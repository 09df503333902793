import { describe, expect, it } from 'vitest';
import { SessionPool } from '../src/pool.ts';
import type { PoolableSession } from '../src/poolable-session.ts';
import { FakeSession, queueDrained } from '../src/testing.ts';
import { opened } from './support/pool-with.ts';

describe('SessionPool.add', () => {
  it('returns a handle that tells what the session was added with', () => {
    const session = new FakeSession();
    const metadata = { zone: 'eu' };
    const ref = new SessionPool().add(session, { key: 'k', id: 'node', label: 'edge', weight: 3, metadata });
    metadata.zone = 'changed later';
    expect(ref).toMatchObject({ session, key: 'k', id: 'node', label: 'edge', removed: false });
    expect(ref.snapshot()).toMatchObject({ weight: 3, maxActiveStreams: Infinity, metadata: { zone: 'eu' } });
  });

  it('makes up a free key, which is the id too', () => {
    const pool = new SessionPool();
    pool.add(new FakeSession(), { key: 'session-2' });
    const keys = [pool.add(new FakeSession()), pool.add(new FakeSession())].map(({ key, id }) => [key, id]);
    expect(keys).toEqual([
      ['session-3', 'session-3'],
      ['session-4', 'session-4'],
    ]);
  });

  it('refuses a key that is taken, and a session that is in the pool', () => {
    const pool = new SessionPool();
    const session = new FakeSession();
    const ref = pool.add(session, { key: 'a' });
    const duplicate = { code: 'ERR_YAMUX_POOL_DUPLICATE_SESSION', key: 'a' };
    expect(() => pool.add(new FakeSession(), { key: 'a' })).toThrow(expect.objectContaining(duplicate));
    expect(() => pool.add(session, { key: 'b' })).toThrow(expect.objectContaining(duplicate));
    expect(session.watchers).toBe(3);
    ref.remove();
    expect(pool.add(session, { key: 'a' }).removed).toBe(false);
  });

  it('gives the key of a session that has ended and not said so yet to the next one, and tells of that end once', async () => {
    const removed: unknown[] = [];
    const onSessionRemoved = ({ reason, error }: { reason: string; error: unknown }): void => {
      removed.push([reason, error]);
    };
    const pool = new SessionPool({ hooks: { onSessionRemoved } });
    const ended = new FakeSession();
    const ref = pool.add(ended, { key: 'a' });
    const waits = pool.open();
    ended.state = 'closed';
    ended.errored = new Error('reset');
    const next = pool.add(new FakeSession().answers(), { key: 'a' });
    expect(removed).toEqual([['closed', ended.errored]]);
    expect([ref.removed, ended.watchers, pool.sessions()]).toEqual([true, 0, [next]]);
    // What it had in hand goes on, on the next one.
    await expect(waits).resolves.toBeDefined();
    ended.emit('close');
    expect(removed).toHaveLength(1);
  });

  it.each([
    ['closes the pool', 'ERR_YAMUX_POOL_CLOSED', (pool: SessionPool): void => void pool.close()],
    [
      'takes the key',
      'ERR_YAMUX_POOL_DUPLICATE_SESSION',
      (pool: SessionPool): void => void pool.add(new FakeSession(), { key: 'a' }),
    ],
  ] as const)('takes nothing in if a hook that hears of such an end %s', (_what, code, act) => {
    const pool: SessionPool = new SessionPool({ hooks: { onSessionRemoved: (): void => act(pool) } });
    const ended = new FakeSession();
    pool.add(ended, { key: 'a' });
    ended.state = 'closed';
    const session = new FakeSession();
    expect(() => pool.add(session, { key: 'a' })).toThrow(expect.objectContaining({ code }));
    expect(session.watchers).toBe(0);
  });

  it('refuses a session that has ended', () => {
    const session = new FakeSession();
    session.end();
    expect(() => new SessionPool().add(session)).toThrow(
      expect.objectContaining({ code: 'ERR_YAMUX_POOL_SESSION_CLOSED' }),
    );
    expect(session.watchers).toBe(0);
  });

  it.each([
    [{ weight: -1 }, 'Expected weight to be a finite number of at least 0, got -1'],
    [{ weight: Number.NaN }, 'Expected weight to be a finite number of at least 0, got NaN'],
    [{ weight: Infinity }, 'Expected weight to be a finite number of at least 0, got Infinity'],
    [{ maxActiveStreams: 0 }, 'Expected maxActiveStreams to be an integer of at least 1 or Infinity, got 0'],
    [{ maxActiveStreams: 1.5 }, 'Expected maxActiveStreams to be an integer of at least 1 or Infinity, got 1.5'],
    [{ key: 1 }, 'Expected key to be a string, got number'],
    [{ id: 1 }, 'Expected id to be a string, got number'],
    [{ label: 1 }, 'Expected label to be a string, got number'],
    [{ metadata: { a: 1 } }, 'Expected metadata.a to be a string, got number'],
    [{ metadata: null }, 'Expected metadata to be an object, got null'],
    [{ maxStreams: 5 }, "Unknown option 'maxStreams' of a session"],
  ])('refuses %o, and takes nothing in', (options, message) => {
    const pool = new SessionPool();
    const session = new FakeSession();
    expect(() => pool.add(session, options as never)).toThrow(message);
    expect(pool.sessions()).toEqual([]);
    expect(session.watchers).toBe(0);
  });

  it('refuses what is no session', () => {
    expect(() => new SessionPool().add({} as PoolableSession)).toThrow(TypeError);
    expect(() => new SessionPool().add(undefined as never)).toThrow(TypeError);
  });

  it.each([
    [{ openAttempts: 0 }, 'Expected openAttempts to be an integer of at least 1, got 0'],
    [{ openAttempts: 1.5 }, 'Expected openAttempts to be an integer of at least 1, got 1.5'],
    [{ maxActiveStreams: -3 }, 'Expected maxActiveStreams to be an integer of at least 1 or Infinity, got -3'],
  ])('makes no pool of %o', (options, message) => {
    expect(() => new SessionPool(options)).toThrow(new RangeError(message));
  });

  it.each([
    [{ healthThreshold: 5 }, "Unknown option 'healthThreshold' of a pool; the nearest is 'healthFailureThreshold'"],
    [{ clock: { now: Date.now } }, 'Expected clock to be an object with now(), setTimeout(), clearTimeout()'],
    [{ closeFailedSessions: 'no' }, 'Expected closeFailedSessions to be a boolean, got string'],
  ])('makes no pool of %o, which is nothing of the kind', (options, message) => {
    expect(() => new SessionPool(options as never)).toThrow(new TypeError(message));
  });
});

describe('a session in the pool', () => {
  it('leaves by itself when it closes, and its error throws nowhere', () => {
    const pool = new SessionPool();
    const session = new FakeSession();
    const ref = pool.add(session);
    session.end(new Error('transport failed'));
    expect(ref.removed).toBe(true);
    expect(pool.sessions()).toEqual([]);
    expect(session.watchers).toBe(0);
  });

  it('is not picked between its end and its events, where streams die and callers retry', async () => {
    const pool = new SessionPool({ strategy: 'least-conn', openAttempts: 1 });
    const [dying, living] = [new FakeSession().answers(), new FakeSession().answers()];
    pool.add(dying, { key: 'd' });
    pool.add(living, { key: 'l' });
    dying.state = 'closed';
    expect(await opened(pool, 2)).toBe('ll');
    expect(pool.stats()).toMatchObject({ sessionsTotal: 2, sessionsAvailable: 1, openAttempts: 2 });
    living.state = 'closed';
    await expect(pool.open()).rejects.toMatchObject({ counts: { closed: 2, draining: 0, full: 0 } });
  });

  it('is still picked after its owner said GoAway, which only refuses streams of the peer', async () => {
    const pool = new SessionPool({ openAttempts: 1 });
    const session = new FakeSession().answers();
    pool.add(session);
    session.state = 'draining';
    await pool.open();
    expect(session.streams).toHaveLength(1);
  });

  it('drains by itself when its peer says GoAway, and does not resume', async () => {
    const pool = new SessionPool();
    const session = new FakeSession().answers();
    const ref = pool.add(session);
    session.emit('goAway', 0);
    expect(ref.snapshot()).toMatchObject({ available: false, draining: true, drainReason: 'go-away' });
    expect(ref.resume()).toBe(false);
    await expect(pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION' });
  });

  it('keeps the reason of an earlier drain when GoAway comes', () => {
    const session = new FakeSession();
    const ref = new SessionPool().add(session);
    ref.drain('rolling update');
    session.emit('goAway', 0);
    expect(ref.snapshot().drainReason).toBe('rolling update');
    expect(ref.resume()).toBe(false);
  });
});

describe('SessionRef.remove', () => {
  it('takes the listeners off and leaves the session and its streams alone, which still count down', async () => {
    const pool = new SessionPool();
    const session = new FakeSession().answers();
    const ref = pool.add(session);
    const stream = await pool.open();
    expect(ref.remove()).toBe(true);
    expect(session.watchers).toBe(0);
    expect(pool.stats()).toMatchObject({ sessionsTotal: 0, activeStreams: 0, openAttempts: 1 });
    expect(stream.destroyed).toBe(false);
    expect(ref.snapshot()).toMatchObject({ available: false, activeStreams: 1 });
    stream.destroy();
    await queueDrained();
    expect(ref.snapshot()).toMatchObject({ activeStreams: 0 });
    expect(pool.sessions()).toEqual([]);
  });

  it('lets an open that waits have its stream', async () => {
    const pool = new SessionPool();
    const session = new FakeSession();
    const ref = pool.add(session);
    const opening = pool.openStream();
    ref.remove();
    const stream = session.openCall(0).resolve();
    expect(await opening).toEqual({ stream, session: ref });
  });

  it('says whether there was anything to remove, by handle and by key', () => {
    const pool = new SessionPool();
    const ref = pool.add(new FakeSession(), { key: 'a' });
    expect(pool.removeSession('b')).toBe(false);
    expect(pool.removeSession('a')).toBe(true);
    expect(pool.removeSession('a')).toBe(false);
    expect(ref.remove()).toBe(false);
    expect(ref.removed).toBe(true);
  });
});

describe('a session that is removed and added again', () => {
  it('keeps the streams that run on it: its cap and its load count them', async () => {
    const [flapping, other] = [new FakeSession().answers(), new FakeSession().answers()];
    const pool = new SessionPool({ strategy: 'least-conn' });
    const ref = pool.add(flapping, { key: 'flapping', maxActiveStreams: 2 });
    const streams = [await pool.open(), await pool.open()];
    ref.remove();
    const again = pool.add(flapping, { key: 'again', maxActiveStreams: 3 });
    pool.add(other, { key: 'other' });
    expect(again.snapshot()).toMatchObject({ activeStreams: 2, pendingStreams: 0, full: false });
    expect(ref.snapshot()).toMatchObject({ activeStreams: 0 });
    expect((await pool.openStream()).session.key).toBe('other');
    expect((await pool.openStream()).session.key).toBe('other');
    await pool.open({ sessionKey: 'again' });
    await expect(pool.open({ sessionKey: 'again' })).rejects.toMatchObject({ counts: { full: 1 } });
    for (const stream of streams) stream.destroy();
    await queueDrained();
    expect(again.snapshot()).toMatchObject({ activeStreams: 1 });
  });

  it('keeps an open that it has in hand, whose outcome says nothing of the health that it has now', async () => {
    const session = new FakeSession();
    const pool = new SessionPool({ healthFailureThreshold: 1 });
    const ref = pool.add(session, { key: 'a' });
    const [served, failed] = [pool.open(), pool.open()];
    ref.remove();
    const again = pool.add(session, { key: 'a' });
    expect(again.snapshot()).toMatchObject({ pendingStreams: 2 });
    session.openCall(0).resolve();
    await served;
    expect(again.snapshot()).toMatchObject({ activeStreams: 1, pendingStreams: 1 });
    session.openCall(1).reject(new Error('broken'));
    session.answers();
    await expect(failed).rejects.toThrow('broken');
    expect(again.snapshot()).toMatchObject({ activeStreams: 1, pendingStreams: 0, healthy: true });
  });
});

describe('what a pool tells', () => {
  it('has its sessions in order of adding', () => {
    const pool = new SessionPool();
    const refs = ['c', 'a', 'b'].map((key) => pool.add(new FakeSession(), { key }));
    expect(pool.sessions()).toEqual(refs);
    refs[0]?.remove();
    expect(pool.sessions()).toEqual(refs.slice(1));
  });

  it('counts sessions and streams', async () => {
    const pool = new SessionPool({ openAttempts: 1 });
    const [busy, asking] = [new FakeSession().answers(), new FakeSession()];
    const failing = new FakeSession().refuses(new Error('refused'));
    busy.rtt = 12;
    pool.add(busy, { key: 'busy', maxActiveStreams: 1 });
    pool.add(asking, { key: 'asking', maxActiveStreams: 2 });
    pool.add(failing, { key: 'failing' });
    await pool.open();
    void pool.open();
    await expect(pool.open()).rejects.toThrow('refused');
    pool.drainSession('busy', 'why');
    expect(pool.stats()).toEqual({
      sessionsTotal: 3,
      sessionsAvailable: 2,
      sessionsDraining: 1,
      sessionsCapacityLimited: 1,
      sessionsHealthy: 3,
      sessionsProbing: 0,
      activeStreams: 1,
      pendingStreams: 1,
      panic: false,
      waitingOpens: 0,
      openAttempts: 3,
      openFailures: 1,
      affinity: undefined,
      sessions: [
        expect.objectContaining({
          key: 'busy',
          activeStreams: 1,
          pendingStreams: 0,
          full: true,
          available: false,
          rtt: 12,
        }),
        expect.objectContaining({ key: 'asking', activeStreams: 0, pendingStreams: 1, full: false, available: true }),
        expect.objectContaining({
          key: 'failing',
          openAttempts: 1,
          openFailures: 1,
          activeStreams: 0,
          available: true,
          healthy: true,
          probing: false,
          consecutiveFailures: 1,
          lastError: 'refused',
          lastFailureAt: expect.any(Number),
          nextProbeAt: undefined,
        }),
      ],
    });
  });
});

describe('routing', () => {
  const pool = new SessionPool({ openAttempts: 1 });
  pool.add(new FakeSession().answers(), { key: 'a', id: 'node-1', metadata: { zone: 'eu' } });
  pool.add(new FakeSession().answers(), { key: 'b', id: 'node-1', metadata: { zone: 'us' } });
  pool.add(new FakeSession().answers(), {
    key: 'c',
    id: 'node-2',
    metadata: { zone: 'eu', tier: 'x' },
    maxActiveStreams: 1,
  });

  const key = async (routing: object): Promise<string> => (await pool.openStream(routing)).session.key;

  it('goes to the session with the key, to one with the id, or to one with the metadata', async () => {
    expect(await key({ sessionKey: 'b' })).toBe('b');
    expect([await key({ sessionId: 'node-1' }), await key({ sessionId: 'node-1' })]).toEqual(['a', 'b']);
    expect(await key({ requiredMetadata: { zone: 'us' } })).toBe('b');
    expect(await key({ requiredMetadata: { zone: 'eu' } })).toBe('c');
    expect(await key({ sessionId: 'node-1', requiredMetadata: { zone: 'eu' } })).toBe('a');
  });

  it.each([
    [{ sessionKey: 'z' }, 'No session of the pool has key "z"'],
    [{ sessionId: 'z' }, 'No session of the pool has id "z"'],
    [{ sessionKey: 'a', sessionId: 'node-2' }, 'No session of the pool has key "a", id "node-2"'],
    [
      { requiredMetadata: { zone: 'us', tier: 'x' } },
      'No session of the pool has metadata zone="us", metadata tier="x"',
    ],
  ])('finds nobody for %o', async (routing, message) => {
    await expect(pool.open(routing)).rejects.toMatchObject({
      code: 'ERR_YAMUX_POOL_NO_MATCHING_SESSION',
      name: 'NoMatchingSessionError',
      message,
    });
  });

  it('tells sessions that match and are busy from none that match', async () => {
    await expect(pool.open({ sessionKey: 'c' })).rejects.toMatchObject({
      code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION',
      name: 'NoAvailableSessionError',
      counts: { closed: 0, draining: 0, full: 1 },
    });
    pool.drainSession('a');
    await expect(pool.open({ requiredMetadata: { zone: 'eu' } })).rejects.toThrow(
      'None of the 2 matching sessions takes a stream: 1 draining, 1 full',
    );
  });

  it('says that an empty pool is empty', async () => {
    await expect(new SessionPool().open()).rejects.toMatchObject({
      code: 'ERR_YAMUX_POOL_NO_MATCHING_SESSION',
      message: 'The pool is empty',
    });
  });
});
