import { describe, expect, it } from 'vitest';
import type { SessionRef } from '../src/member/session-ref.ts';
import { SessionPool } from '../src/pool.ts';
import { FakeSession, FakeStream, PingableSession, queueDrained } from '../src/testing.ts';
import { errorOf, type HealthWorld, INTERVAL, healthWorld as world } from './support/health-world.ts';

/** Unless another is given. */
const PROBE_TIMEOUT = 10_000;

describe('an unhealthy session', () => {
  it('takes no streams, says why and since when, and lets its own streams be', async () => {
    const { pool, add, fail, health, clock } = world();
    const { ref } = add('a', new FakeSession().answers());
    const living = await pool.open();
    await fail('a', 2);
    expect(health).toEqual([]);
    await fail('a', 1);
    expect(health).toEqual([
      {
        snapshot: expect.objectContaining({ key: 'a', healthy: false, available: false }),
        healthy: false,
        cause: 'failures',
        reason: '3 failures in a row, the last: broken',
      },
    ]);
    expect(ref.snapshot()).toMatchObject({
      healthy: false,
      probing: false,
      available: false,
      consecutiveFailures: 3,
      lastError: 'broken',
      lastFailureAt: clock.now(),
      nextProbeAt: clock.now() + INTERVAL,
      activeStreams: 1,
    });
    await expect(pool.open()).rejects.toMatchObject({
      code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION',
      counts: { closed: 0, draining: 0, unhealthy: 1, full: 0 },
      message: 'None of the 1 matching session takes a stream: 1 unhealthy',
    });
    expect(living.destroyed).toBe(false);
    expect(pool.stats()).toMatchObject({ sessionsHealthy: 0, sessionsProbing: 0, sessionsAvailable: 0 });
  });

  it('is not made of failures of which each is followed by an answer', async () => {
    const { pool, add, fail, health } = world();
    const { session } = add('a', new FakeSession());
    for (let round = 0; round < 5; round += 1) {
      await fail('a', 2);
      session.answers();
      await pool.open();
      session.streams.at(-1)?.acknowledge();
    }
    expect(health).toEqual([]);
  });

  it('is made by failures between which streams were opened and never answered', async () => {
    const { pool, add, fail, health } = world();
    const { session } = add('a', new FakeSession());
    for (let round = 0; round < 2; round += 1) {
      await fail('a', 1);
      session.answers();
      await pool.open();
    }
    await fail('a', 1);
    expect(health).toHaveLength(1);
  });

  it('never comes of failures where the threshold is 0', async () => {
    const { add, fail, next } = world({ healthFailureThreshold: 0 });
    add('a', new FakeSession());
    await fail('a', 50);
    expect(await next()).toBe('a');
  });

  it('is tried by the first open after its rest when there is no other, and healthy at the answer', async () => {
    const { pool, add, fail, clock, health } = world();
    const { session, ref } = add('a', new FakeSession());
    await fail('a', 3);
    clock.advance(INTERVAL - 1);
    await expect(pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION' });
    clock.advance(1);
    expect(pool.stats()).toMatchObject({ sessionsProbing: 1, sessionsAvailable: 0 });
    await pool.open();
    expect(ref.snapshot()).toMatchObject({ healthy: false, probing: true });
    session.streams.at(-1)?.acknowledge();
    expect(health.at(-1)).toMatchObject({ healthy: true, reason: 'its trial was answered' });
    expect(ref.snapshot()).toMatchObject({ healthy: true, available: true, consecutiveFailures: 0 });
  });

  it('has one trial at a time, whatever the rush', async () => {
    const { pool, add, fail, clock } = world();
    const { session } = add('a', new FakeSession());
    await fail('a', 3);
    clock.advance(INTERVAL);
    const opens = Array.from({ length: 20 }, () => pool.open());
    const results = await Promise.allSettled(opens);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(session.streams).toHaveLength(1);
  });

  it('is pinged first while another can serve, and gets the next open after the pong', async () => {
    const { add, fail, clock, next, pool, health } = world();
    const { session, ref } = add('a', new PingableSession());
    add('b', new FakeSession().answers());
    await fail('a', 3);
    clock.advance(INTERVAL);
    expect([await next(), await next(), await next()].join('')).toBe('bbb');
    expect(session.pings).toHaveLength(1);
    session.pings[0]?.pong();
    await queueDrained();
    expect(ref.snapshot()).toMatchObject({ healthy: false, probing: true });
    const { session: served } = await pool.openStream();
    expect(served.key).toBe('a');
    expect([await next(), await next()].join('')).toBe('bb');
    session.streams.at(-1)?.acknowledge();
    expect(health.at(-1)?.healthy).toBe(true);
    expect([await next(), await next()].sort().join('')).toBe('ab');
  });

  it('rests twice as long when its ping fails or is not answered, and costs no open', async () => {
    const { add, fail, clock, next, pool } = world({ probeTimeout: 1_000 });
    const { session, ref } = add('a', new PingableSession());
    add('b', new FakeSession().answers());
    await fail('a', 3);
    clock.advance(INTERVAL);
    await next();
    session.pings[0]?.fail();
    await queueDrained();
    expect(ref.snapshot().nextProbeAt).toBe(clock.now() + 2 * INTERVAL);
    clock.advance(2 * INTERVAL);
    await next();
    expect(session.pings).toHaveLength(2);
    clock.advance(1_000);
    await next();
    expect(ref.snapshot().nextProbeAt).toBe(clock.now() + 4 * INTERVAL);
    session.pings[1]?.pong();
    await queueDrained();
    expect(await next()).toBe('b');
    expect(pool.stats().openFailures).toBe(3);
  });

  it('is tried at once, beside others, where it cannot be pinged', async () => {
    const { add, fail, clock, pool } = world();
    const { session } = add('a', new FakeSession());
    add('b', new FakeSession().answers());
    await fail('a', 3);
    clock.advance(INTERVAL);
    const keys: string[] = [];
    for (let open = 0; open < 3; open += 1) keys.push((await pool.openStream()).session.key);
    expect(keys.join('')).toBe('abb');
    expect(session.streams).toHaveLength(1);
  });

  it('is tried by an open that nobody else can serve, even while its ping is out', async () => {
    const { add, fail, clock, pool, next } = world();
    const { session, ref } = add('a', new PingableSession());
    const other = add('b', new FakeSession().answers());
    await fail('a', 3);
    clock.advance(INTERVAL);
    await next();
    expect(session.pings).toHaveLength(1);
    other.ref.drain();
    expect((await pool.openStream()).session.key).toBe('a');
    session.pings[0]?.fail();
    await queueDrained();
    expect(ref.snapshot()).toMatchObject({ probing: true });
    session.streams.at(-1)?.acknowledge();
    expect(ref.snapshot().healthy).toBe(true);
  });

  const trials: [string, (stream: FakeStream) => void, 'healthy' | 'resting' | 'again'][] = [
    ['is acknowledged', (stream) => stream.acknowledge(), 'healthy'],
    ['is refused', (stream) => stream.destroy(errorOf({ refused: true })), 'resting'],
    ['dies of its session', (stream) => stream.destroy(errorOf({ scope: 'session' })), 'resting'],
    ['is ended by its user', (stream) => stream.destroy(), 'again'],
    ["is ended by its user's own error", (stream) => stream.destroy(errorOf({ code: 'ECONNRESET' })), 'again'],
  ];

  it.each(trials)('whose trial %s', async (_what, act, outcome) => {
    const { pool, add, fail, clock, health } = world();
    const { session, ref } = add('a', new FakeSession());
    await fail('a', 3);
    clock.advance(INTERVAL);
    const stream = (await pool.open()) as FakeStream;
    stream.on('error', () => {});
    act(stream);
    await queueDrained();
    if (outcome === 'healthy') expect(health.at(-1)?.healthy).toBe(true);
    else expect(ref.snapshot().healthy).toBe(false);
    if (outcome === 'resting') expect(ref.snapshot().nextProbeAt).toBe(clock.now() + 2 * INTERVAL);
    if (outcome === 'again') {
      expect((await pool.openStream()).session.key).toBe('a');
      session.streams.at(-1)?.acknowledge();
      expect(ref.snapshot().healthy).toBe(true);
    }
  });

  it('whose trial is given up by its caller before it opened is tried again by the next', async () => {
    const { pool, add, fail, clock } = world();
    const { session, ref } = add('a', new FakeSession());
    await fail('a', 3);
    const waiting = new FakeSession();
    session.open = (options) => waiting.open(options);
    clock.advance(INTERVAL);
    const controller = new AbortController();
    const first = pool.open({}, { signal: controller.signal });
    controller.abort(new Error('no more'));
    await expect(first).rejects.toThrow('no more');
    const second = pool.open();
    waiting.openCall(1).resolve().acknowledge();
    await second;
    expect(ref.snapshot().healthy).toBe(true);
  });

  it('whose trial fails to open, or takes too long, rests twice as long', async () => {
    const { pool, add, fail, clock } = world({ probeTimeout: 500 });
    const { session, ref } = add('a', new FakeSession());
    await fail('a', 3);
    clock.advance(INTERVAL);
    await fail('a', 1);
    expect(ref.snapshot().nextProbeAt).toBe(clock.now() + 2 * INTERVAL);
    clock.advance(2 * INTERVAL);
    await pool.open();
    clock.advance(500);
    await expect(pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION' });
    expect(ref.snapshot().nextProbeAt).toBe(clock.now() + 4 * INTERVAL);
    session.streams.at(-1)?.acknowledge();
    expect(ref.snapshot().healthy).toBe(false);
  });

  describe('whose streams have no acknowledgement', () => {
    async function onTrial(): Promise<{ world: HealthWorld; ref: SessionRef; trial: FakeStream }> {
      const made = world();
      const { session, ref } = made.add('a', new FakeSession());
      await made.fail('a', 3);
      made.clock.advance(INTERVAL);
      session.answers(() => Object.defineProperty(new FakeStream(), 'acknowledged', { value: undefined }));
      return { world: made, ref, trial: (await made.pool.open()) as FakeStream };
    }

    it('is healthy again by what it sends', async () => {
      const { ref, trial } = await onTrial();
      trial.push('bytes');
      trial.push(null);
      trial.resume();
      trial.end();
      await queueDrained();
      await queueDrained();
      expect(ref.snapshot().healthy).toBe(true);
    });

    it.each([
      ['read', (trial: FakeStream) => void trial.resume()],
      ['unread', () => {}],
    ])('is healthy again at the next open though the trial goes on, its bytes %s', async (_what, read) => {
      const { world: made, ref, trial } = await onTrial();
      read(trial);
      trial.push('bytes');
      await queueDrained();
      expect(trial.readableFlowing).toBe(trial.readableDidRead || null);
      made.clock.advance(PROBE_TIMEOUT + 1);
      await made.pool.open();
      expect(made.health.at(-1)).toMatchObject({ healthy: true });
      expect([trial.destroyed, ref.snapshot().healthy]).toEqual([false, true]);
    });

    it('is healthy again by what it sent before its user ended the trial with an error of his own', async () => {
      const { ref, trial } = await onTrial();
      trial.on('error', () => {}).resume();
      trial.push('bytes');
      await queueDrained();
      trial.destroy(errorOf({ code: 'ECONNRESET' }));
      await queueDrained();
      expect(ref.snapshot().healthy).toBe(true);
    });

    it('rests twice as long when nothing comes in time', async () => {
      const { world: made, ref, trial } = await onTrial();
      trial.resume();
      made.clock.advance(PROBE_TIMEOUT);
      expect(ref.snapshot().nextProbeAt).toBe(made.clock.now() + 2 * INTERVAL);
      trial.push('too late');
      await queueDrained();
      await expect(made.pool.open()).rejects.toMatchObject({ counts: { unhealthy: 1 } });
    });
  });

  it('is not healed by a stream that was opened before', async () => {
    const { pool, add, fail } = world();
    const { session, ref } = add('a', new FakeSession());
    session.answers();
    await pool.open();
    const [early] = session.streams;
    await fail('a', 3);
    early?.acknowledge();
    expect(ref.snapshot().healthy).toBe(false);
  });

  it('gets no trial that belongs to another: an affine open stays where it is bound', async () => {
    const { pool, add, fail, clock } = world({ strategy: 'affinity' });
    add('a', new FakeSession());
    add('b', new FakeSession().answers());
    await fail('a', 3);
    expect((await pool.openStream({ affinityKey: 'x' })).session.key).toBe('b');
    clock.advance(INTERVAL);
    expect((await pool.openStream({ affinityKey: 'x' })).session.key).toBe('b');
    expect((await pool.openStream({ affinityKey: 'new' })).session.key).toBe('a');
    expect((await pool.openStream({ affinityKey: 'new' })).session.key).toBe('b');
  });

  it('gets no trial beyond its cap, against its drain, or past what the open asks for', async () => {
    const { pool, add, fail, clock } = world();
    const { session } = add('a', new FakeSession());
    session.answers();
    const ref = pool.sessions()[0] as SessionRef;
    await fail('a', 3);
    clock.advance(INTERVAL);
    ref.drain();
    await expect(pool.open()).rejects.toMatchObject({ counts: { draining: 1 } });
    ref.resume();
    await expect(pool.open({ sessionId: 'other' })).rejects.toMatchObject({
      code: 'ERR_YAMUX_POOL_NO_MATCHING_SESSION',
    });
    expect((await pool.openStream()).session.key).toBe('a');
  });

  it('is of no matter once it has left', async () => {
    const { pool, add, fail, clock, health } = world();
    const { session } = add('a', new FakeSession());
    await fail('a', 3);
    clock.advance(INTERVAL);
    const stream = (await pool.open()) as FakeStream;
    pool.removeSession('a');
    stream.acknowledge();
    stream.destroy();
    await queueDrained();
    expect(health).toHaveLength(1);
    expect(session.watchers).toBe(0);
    expect(clock.timers).toBe(0);
  });
});

it.each([
  [{ healthFailureThreshold: -1 }, 'Expected healthFailureThreshold to be an integer of at least 0, got -1'],
  [{ healthFailureThreshold: 1.5 }, 'Expected healthFailureThreshold'],
  [{ healthProbeInterval: Number.NaN }, 'Expected healthProbeInterval'],
  [{ probeTimeout: -5 }, 'Expected probeTimeout'],
  [{ maxEjectionPercent: 101 }, 'Expected maxEjectionPercent to be between 0 and 100, got 101'],
  [{ failureClassifier: 'count' }, 'Expected failureClassifier to be a function, got string'],
])('the options %o are refused', (options, message) => {
  expect(() => new SessionPool(options as never)).toThrow(message);
});
