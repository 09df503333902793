// Whatever the pool calls may call back into it: hooks, the classifier, the strategy, the sessions. One story makes all of them be called;
// at the first call of each the pool is told to do each thing that it can be told, and every count must still be true.
import { describe, expect, it } from 'vitest';
import { affinity } from '../src/choosing/strategies/affinity.ts';
import type { Strategy } from '../src/choosing/strategy.ts';
import { withSessionLabel } from '../src/member/session-change.ts';
import type { SessionRef } from '../src/member/session-ref.ts';
import { SessionPool } from '../src/pool.ts';
import type { RoutingContext } from '../src/routing.ts';
import { FakeSession, ManualClock, PingableSession, queueDrained } from '../src/testing.ts';
import { HOOK_NAMES } from './support/recorder.ts';

const CAP = 2;
const TTL = 1_000;
const INTERVAL = 100;

const STRATEGY_METHODS = [
  'pick',
  'boundTo',
  'added',
  'updated',
  'removed',
  'opened',
  'failed',
  'answered',
  'unanswered',
  'affinityStats',
] as const satisfies (keyof Strategy)[];

/** All that is called by a pool, and may call back; `pick` before it has chosen and when it has. */
const CALLED: readonly string[] = [
  ...HOOK_NAMES,
  'failureClassifier',
  ...STRATEGY_METHODS.map((method) => `strategy.${method}`),
  'strategy.pick when it has chosen',
  'session.open',
  'session.ping',
];

/** Affinity, as a strategy of the pool's owner that calls `tell` with the name of each method first. */
function telling(tell: (called: string) => void): Strategy {
  const inner: Strategy = affinity({ ttl: TTL });
  const methods = STRATEGY_METHODS.map((method) => {
    const own = (...args: never[]): unknown => {
      tell(`strategy.${method}`);
      const result = (inner[method] as ((...args: never[]) => unknown) | undefined)?.apply(inner, args);
      tell(`strategy.${method} when it has chosen`);
      return result;
    };
    return [method, own];
  });
  return {
    ...(Object.fromEntries(methods) as Pick<Strategy, (typeof STRATEGY_METHODS)[number]>),
    name: 'telling',
    order: inner.order,
    attach: (home) => inner.attach?.(home),
  };
}

class Story {
  readonly clock = new ManualClock();
  readonly refs: SessionRef[] = [];
  readonly sessions: FakeSession[] = [];
  /** Of the checks inside hooks, which a pool would keep to itself. */
  readonly failures: unknown[] = [];
  readonly pool: SessionPool;
  times = 0;
  /** Its sessions can be pinged. */
  readonly pings: boolean;
  readonly #tell: (called: string) => void;
  #isNoting = false;

  /** What is called by that name does `act`, the first time. */
  constructor(name: string, act: (story: Story) => void) {
    this.pings = name === 'session.ping';
    const call = (): void => {
      this.times += 1;
      this.#note();
      if (this.times > 1) return;
      try {
        act(this);
      } finally {
        this.#note();
      }
    };
    this.#tell = (called) => {
      if (called === name) call();
    };
    const hooks = Object.fromEntries(HOOK_NAMES.map((hook) => [hook, () => this.#tell(hook)]));
    this.pool = new SessionPool({
      clock: this.clock,
      strategy: telling(this.#tell),
      healthFailureThreshold: 1,
      healthProbeInterval: INTERVAL,
      hooks,
      // So that there is a panic to hear of.
      failureClassifier: () => {
        this.#tell('failureClassifier');
        throw new Error('classifier');
      },
    });
  }

  add(): FakeSession {
    const session = this.#newSession().answers();
    session.on('error', () => {});
    this.sessions.push(session);
    try {
      this.refs.push(this.pool.add(session, { key: `s${this.refs.length}`, maxActiveStreams: CAP }));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_YAMUX_POOL_CLOSED' });
    }
    return session;
  }

  #newSession(): FakeSession {
    const session = this.pings ? new PingableSession() : new FakeSession();
    const { open } = session;
    session.open = (options) => {
      this.#tell('session.open');
      return open.call(session, options);
    };
    if (session instanceof PingableSession) {
      session.ping = () => {
        this.#tell('session.ping');
        return Promise.resolve(1);
      };
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
    if (this.#isNoting) return; // stats() has called back
    this.#isNoting = true;
    try {
      this.check();
    } catch (error) {
      this.failures.push(error);
    } finally {
      this.#isNoting = false;
    }
  }

  async #step(): Promise<void> {
    this.#note();
    await queueDrained();
    this.#note();
  }

  async tell(): Promise<void> {
    const [a, b, c] = [this.add(), this.add(), this.add()];
    this.open({ affinityKey: 'x' });
    await this.#step();
    this.pool.explain({ affinityKey: 'x' });
    this.pool.stats();
    for (const { streams } of this.sessions) streams[0]?.destroy();
    await this.#step();
    a.refuses(new Error('broken'));
    this.open({ sessionKey: 's0' });
    await this.#step();
    b.refuses(new Error('broken'));
    for (let opens = 0; opens < 2; opens += 1) this.open();
    await this.#step();
    // Where nobody else can serve nobody is pinged.
    if (this.pings) this.add();
    this.clock.advance(INTERVAL);
    for (const session of [a, b]) session.answers();
    for (let opens = 0; opens < 3; opens += 1) this.open();
    await this.#step();
    for (const stream of this.sessions.flatMap(({ streams }) => streams)) stream.acknowledge();
    await this.#step();
    this.refs[1]?.drain('story');
    this.refs[1]?.resume();
    this.refs[1]?.update(withSessionLabel('story'));
    this.clock.advance(TTL);
    this.open({ affinityKey: 'y' });
    await this.#step();
    this.refs[2]?.remove();
    a.end(new Error('cut'));
    c.end();
    this.open();
    this.pool.open({ sessionId: 'none' }, { wait: true }).catch(() => {});
    await this.#step();
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

describe.each(CALLED)('a pool whose %s', (name) => {
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
