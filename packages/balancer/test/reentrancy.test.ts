// Hooks may call back into the pool, from inside every one of them. One story makes every event happen; at the first event of each
// kind the pool is told to do each thing that it can be told, and every count must still be true.
import { describe, expect, it } from 'vitest';
import type { PoolEvents } from '../src/events.ts';
import { SessionPool } from '../src/pool.ts';
import type { RoutingContext } from '../src/routing.ts';
import type { SessionRef } from '../src/session-ref.ts';
import { affinity } from '../src/strategies/affinity.ts';
import { FakeSession, ManualClock, queueDrained } from '../src/testing.ts';
import { HOOK_NAMES } from './support/recorder.ts';

const CAP = 2;
const TTL = 1_000;
const INTERVAL = 100;

class Story {
  readonly clock = new ManualClock();
  readonly refs: SessionRef[] = [];
  readonly sessions: FakeSession[] = [];
  /** Of the checks inside hooks, which a pool would keep to itself. */
  readonly failures: unknown[] = [];
  readonly pool: SessionPool;
  times = 0;

  constructor(name: keyof PoolEvents, act: (story: Story) => void) {
    const hook = (): void => {
      this.times += 1;
      this.#note();
      if (this.times > 1) return;
      try {
        act(this);
      } finally {
        this.#note();
      }
    };
    this.pool = new SessionPool({
      clock: this.clock,
      strategy: affinity({ ttl: TTL }),
      healthFailureThreshold: 1,
      healthProbeInterval: INTERVAL,
      hooks: { [name]: hook },
      // So that there is a panic to hear of.
      failureClassifier: () => {
        throw new Error('classifier');
      },
    });
  }

  add(): FakeSession {
    const session = new FakeSession().answers();
    session.on('error', () => {});
    this.sessions.push(session);
    try {
      this.refs.push(this.pool.add(session, { key: `s${this.refs.length}`, maxActiveStreams: CAP }));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_YAMUX_POOL_CLOSED' });
    }
    return session;
  }

  open(routing: RoutingContext = {}): void {
    this.pool.open(routing).then(
      (stream) => stream.on('error', () => {}),
      () => {},
    );
  }

  /** Every count is what a recount says, and no cap is exceeded. */
  check(): void {
    const stats = this.pool.stats();
    expect(stats.sessionsTotal).toBe(this.pool.sessions().length);
    for (const ref of this.pool.sessions()) expect(ref.removed).toBe(false);
    for (const { activeStreams, pendingStreams } of stats.sessions) {
      expect(activeStreams).toBeGreaterThanOrEqual(0);
      expect(pendingStreams).toBeGreaterThanOrEqual(0);
      expect(activeStreams + pendingStreams).toBeLessThanOrEqual(CAP);
    }
    expect(stats.activeStreams).toBe(stats.sessions.reduce((sum, { activeStreams }) => sum + activeStreams, 0));
    expect(stats.pendingStreams).toBe(stats.sessions.reduce((sum, { pendingStreams }) => sum + pendingStreams, 0));
    expect(stats.sessionsAvailable).toBe(stats.sessions.filter(({ available }) => available).length);
  }

  #note(): void {
    try {
      this.check();
    } catch (error) {
      this.failures.push(error);
    }
  }

  async tell(): Promise<void> {
    const [a, b, c] = [this.add(), this.add(), this.add()];
    this.open({ affinityKey: 'x' });
    await queueDrained();
    for (const { streams } of this.sessions) streams[0]?.destroy();
    await queueDrained();
    a.refuses(new Error('broken'));
    this.open({ sessionKey: 's0' });
    await queueDrained();
    b.refuses(new Error('broken'));
    for (let opens = 0; opens < 2; opens += 1) this.open();
    await queueDrained();
    this.clock.advance(INTERVAL);
    for (const session of [a, b]) session.answers();
    for (let opens = 0; opens < 3; opens += 1) this.open();
    await queueDrained();
    for (const stream of this.sessions.flatMap(({ streams }) => streams)) stream.acknowledge();
    await queueDrained();
    this.refs[1]?.drain('story');
    this.refs[1]?.resume();
    this.clock.advance(TTL);
    this.open({ affinityKey: 'y' });
    await queueDrained();
    this.refs[2]?.remove();
    a.end(new Error('cut'));
    c.end();
    this.open();
    await queueDrained();
  }

  /** When the streams are closed nothing is left. */
  async end(): Promise<void> {
    for (const stream of this.sessions.flatMap(({ streams }) => streams)) stream.destroy();
    await queueDrained();
    this.pool.destroy();
    await queueDrained();
    for (const ref of this.refs) expect(ref.snapshot()).toMatchObject({ activeStreams: 0, pendingStreams: 0 });
    for (const session of this.sessions) expect(session.watchers, 'the listener of the story alone').toBe(1);
    expect(this.pool.sessions()).toEqual([]);
    expect(this.clock.timers).toBe(0);
  }
}

const ACTIONS: Readonly<Record<string, (story: Story) => void>> = {
  adds: (story) => void story.add(),
  removes: ({ pool }) => pool.sessions().map((ref) => ref.remove()),
  drains: ({ pool }) => pool.sessions().map((ref) => ref.drain({ timeout: 10, onTimeout: 'reset' })),
  'drains and resumes': ({ pool }) => {
    for (const ref of pool.sessions()) ref.drain();
    for (const ref of pool.sessions()) ref.resume();
  },
  opens: (story) => Array.from({ length: 2 * CAP }, () => story.open()),
  'opens with a key': (story) => story.open({ affinityKey: 'x' }),
  'ends its sessions': ({ sessions }) => sessions.map((session) => session.end(new Error('ended'))),
  closes: ({ pool }) => void pool.close({ timeout: 10 }),
  destroys: ({ pool }) => pool.destroy(new Error('destroyed')),
  throws: () => {
    throw new Error('hook');
  },
};

describe.each(HOOK_NAMES)('a pool whose hook %s', (name) => {
  it.each(Object.entries(ACTIONS))('%s stays true to its counts', async (_what, act) => {
    const story = new Story(name, act);
    await story.tell();
    expect(story.times).toBeGreaterThan(0);
    await story.end();
    expect(story.failures).toEqual([]);
  });
});

it('a hook that hears of a retry cannot take the slot that the retry has', async () => {
  const pool: SessionPool = new SessionPool({ hooks: { onRetry: () => void pool.open().catch(() => {}) } });
  const [bad, good] = [new FakeSession().refuses(new Error('refused')), new FakeSession().answers()];
  pool.add(bad, { key: 'bad' });
  const ref = pool.add(good, { key: 'good', maxActiveStreams: 1 });
  expect((await pool.openStream()).session).toBe(ref);
  expect(ref.snapshot()).toMatchObject({ activeStreams: 1, pendingStreams: 0 });
});

it('an open that waits ends with the error of the pool, and is no failure, however often the pool is destroyed', async () => {
  const pool: SessionPool = new SessionPool({ hooks: { onSessionRemoved: () => pool.destroy(new Error('again')) } });
  for (let session = 0; session < 3; session += 1) pool.add(new FakeSession());
  const opens = [pool.open(), pool.open(), pool.open()];
  pool.destroy(new Error('once'));
  for (const open of opens) await expect(open).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_CLOSED' });
  expect(pool.stats()).toMatchObject({ openAttempts: 3, openFailures: 0 });
});
