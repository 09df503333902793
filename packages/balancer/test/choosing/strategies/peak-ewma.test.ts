import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { peakEwma } from '../../../src/choosing/strategies/peak-ewma.ts';
import type { Candidate, Strategy } from '../../../src/choosing/strategy.ts';
import { SessionPool } from '../../../src/pool.ts';
import { FakeSession, ManualClock, queueDrained, seededRandom } from '../../../src/testing.ts';
import { candidate, type FakeCandidate } from '../../support/candidates.ts';
import { runs } from '../../support/runs.ts';

type Figure = number | undefined;
type Loaded = FakeCandidate & { load: number; silentSince: Figure; stalledFor: Figure; rtt: Figure };

interface Scene {
  readonly strategy: Strategy;
  readonly sessions: readonly [Loaded, Loaded];
  pass(ms: number): void;
  /** Of two candidates the better one is always taken. */
  picked(): string;
}

function scene(): Scene {
  let now = 1_000;
  const strategy = peakEwma();
  strategy.attach?.({ now: () => now, random: seededRandom(1), bound: () => {}, evicted: () => {} });
  const sessions: [Loaded, Loaded] = [candidate('a') as Loaded, candidate('b') as Loaded];
  for (const one of sessions) strategy.added?.(one);
  return {
    strategy,
    sessions,
    pass: (ms) => {
      now += ms;
    },
    picked: () => (sessions[strategy.pick(sessions, {})] as Candidate).key,
  };
}

describe('peak-ewma', () => {
  it('takes the quicker of two, unless so many streams run there that it is not', () => {
    const { strategy, sessions, picked } = scene();
    const [a, b] = sessions;
    strategy.answered?.(a, 10);
    strategy.answered?.(b, 50);
    expect(picked()).toBe('a');
    a.load = 3;
    expect(picked()).toBe('a');
    a.load = 5;
    expect(picked()).toBe('b');
  });

  it('is raised by one slow answer at once, and forgets it by and by', () => {
    const { strategy, sessions, pass, picked } = scene();
    const [a, b] = sessions;
    for (const one of sessions) strategy.answered?.(one, 20);
    strategy.answered?.(a, 500);
    b.load = 9;
    expect(picked()).toBe('b');
    // After one decay a third of the 480 ms is left above the quickest answer, 197 ms against 10 × 20.
    pass(10_000);
    expect(picked()).toBe('a');
  });

  it('avoids a session whose peer owes an answer for longer than the other takes', () => {
    const { strategy, sessions, pass, picked } = scene();
    const [a, b] = sessions;
    strategy.answered?.(a, 5);
    strategy.answered?.(b, 40);
    a.silentSince = 1_000;
    pass(30);
    expect(picked()).toBe('a');
    pass(11);
    expect(picked()).toBe('b');
    a.silentSince = undefined;
    expect(picked()).toBe('a');
  });

  it('avoids a session in which bytes wait in vain, and, where that ended by giving up, as long after as after a failure', () => {
    const { strategy, sessions, pass, picked } = scene();
    const [a, b] = sessions;
    for (const one of sessions) strategy.answered?.(one, 10);
    b.load = 3;
    // An upload that flows waits from one credit to the next.
    a.stalledFor = 50;
    expect(picked()).toBe('a');
    a.stalledFor = 51;
    expect(picked()).toBe('b');
    // Where callers have given up it does not grow, and is forgotten by and by.
    expect(picked()).toBe('b');
    pass(5_000);
    expect(picked()).toBe('a');
    a.stalledFor = 100_000;
    b.load = 98;
    expect(picked()).toBe('b');
    // No more than a failure: where the others have that much to do it gets one.
    b.load = 100;
    expect(picked()).toBe('a');
    a.stalledFor = 0;
    b.load = 3;
    expect(picked()).toBe('b');
    pass(60_000);
    expect(picked()).toBe('a');
  });

  it('remembers no such wait that the peer has ended: while our own event loop stands still each upload seems to stall', () => {
    const { strategy, sessions, picked } = scene();
    const [a, b] = sessions;
    for (const one of sessions) strategy.answered?.(one, 10);
    b.load = 3;
    for (const stalledFor of [226, 226.01, 226.02]) {
      a.stalledFor = stalledFor;
      expect(picked()).toBe('b');
    }
    a.stalledFor = 2;
    expect(picked()).toBe('a');
  });

  it('tries a session of which it knows nothing with one open, and no more until that is answered', () => {
    const { strategy, sessions, picked } = scene();
    const [a, b] = sessions;
    strategy.answered?.(a, 10);
    expect(picked()).toBe('b');
    b.load = 1;
    a.load = 20;
    expect(picked()).toBe('a');
    strategy.answered?.(b, 10);
    expect(picked()).toBe('b');
  });

  it('learns from pings too, and takes a failure for a slow answer and never for a quick one', () => {
    const { strategy, sessions, picked } = scene();
    const [a, b] = sessions;
    a.rtt = 30;
    b.rtt = 10;
    expect(picked()).toBe('b');
    strategy.failed?.(b, {}, false);
    expect(picked()).toBe('b');
    strategy.failed?.(b, {}, true);
    expect(picked()).toBe('a');
  });

  it('does not think that a peer is quick whose opens are given up unanswered', () => {
    const { strategy, sessions, picked } = scene();
    const [a, b] = sessions;
    strategy.answered?.(a, 10);
    strategy.answered?.(b, 40);
    // Given up before a peer as quick as this could answer: that says nothing.
    strategy.unanswered?.(a, 5);
    expect(picked()).toBe('a');
    strategy.unanswered?.(a, 500);
    expect(picked()).toBe('b');
  });

  it('takes whoever was picked longer ago where both cost the same', () => {
    const { sessions, picked } = scene();
    const [a, b] = sessions;
    a.turn = 5;
    b.turn = 4;
    expect(picked()).toBe('b');
    b.turn = 6;
    expect(picked()).toBe('a');
  });

  it('takes the better of two different ones at random, all pairs alike, and the worst of all never', () => {
    const strategy = peakEwma();
    strategy.attach?.({ now: () => 0, random: seededRandom(3), bound: () => {}, evicted: () => {} });
    const sessions = Array.from({ length: 5 }, (_, index) => candidate(`s${index}`));
    sessions.forEach((one, index) => {
      strategy.added?.(one);
      strategy.answered?.(one, 10 * (index + 1));
    });
    const counts = [0, 0, 0, 0, 0];
    for (let pick = 0; pick < 10_000; pick += 1) {
      const index = strategy.pick(sessions, {});
      counts[index] = (counts[index] ?? 0) + 1;
    }
    // Of ten pairs the best is in four, the next is the better one in three, and so on; 200 is four standard deviations.
    [4_000, 3_000, 2_000, 1_000, 0].forEach((expected, index) => {
      expect(Math.abs((counts[index] ?? 0) - expected)).toBeLessThanOrEqual(expected === 0 ? 0 : 200);
    });
  });

  it('survives any answer and any clock: its choice is always one of the candidates', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ms: fc.double(), passed: fc.integer({ min: -50, max: 100_000 }), nth: fc.nat(1) })),
        (events) => {
          const { strategy, sessions, pass, picked } = scene();
          for (const { ms, passed, nth } of events) {
            pass(passed);
            strategy.answered?.(sessions[nth] as Loaded, ms);
            expect(['a', 'b']).toContain(picked());
          }
          // And what was nonsense is forgotten in time.
          pass(10_000_000);
          for (const one of sessions) strategy.answered?.(one, 5);
          expect(['a', 'b']).toContain(picked());
        },
      ),
      runs(100, 2),
    );
  });

  it('knows nothing more of one that has left, whoever has its ordinal then', () => {
    const { strategy, sessions, picked } = scene();
    const [a, b] = sessions;
    strategy.removed?.(b);
    const next = { ...candidate('c'), ordinal: b.ordinal };
    strategy.added?.(next);
    strategy.answered?.(b, 900);
    strategy.answered?.(a, 10);
    (sessions as unknown as FakeCandidate[])[1] = next;
    expect(picked()).toBe('c');
  });

  it('measures a pool from the open to the acknowledgement, and leaves a peer that stalls within a round trip', async () => {
    const clock = new ManualClock();
    const pool = new SessionPool({ strategy: 'peak-ewma', clock, random: seededRandom(1) });
    const [stalls, good] = [new FakeSession().answers(), new FakeSession().answers()];
    pool.add(stalls, { key: 'stalls' });
    pool.add(good, { key: 'good' });
    const open = async (isAnswered: (session: FakeSession) => boolean): Promise<string> => {
      const { session, stream } = await pool.openStream();
      clock.advance(10);
      const fake = session.session as FakeSession;
      if (isAnswered(fake)) fake.streams.at(-1)?.acknowledge();
      stream.destroy();
      await queueDrained();
      return session.key;
    };
    for (let turn = 0; turn < 10; turn += 1) await open(() => true);
    const served: string[] = [];
    const stuck = await pool.openStream({ sessionKey: 'stalls' });
    clock.advance(20);
    for (let turn = 0; turn < 20; turn += 1) served.push(await open((session) => session === good));
    expect(new Set(served)).toEqual(new Set(['good']));
    (stuck.session.session as FakeSession).streams.at(-1)?.acknowledge();
    expect(pool.stats()).toMatchObject({ sessionsHealthy: 2 });
  });

  it('leaves a peer that stalls although each of its callers gives up before it has waited for long', async () => {
    const clock = new ManualClock();
    const pool = new SessionPool({ strategy: 'peak-ewma', clock, random: seededRandom(1) });
    const [stalls, good] = [new FakeSession().answers(), new FakeSession().answers()];
    pool.add(stalls);
    pool.add(good);
    let isStalled = false;
    /** One open each millisecond; an answer takes 5 ms, and after 20 ms a caller lets its stream go. Returns how many came to the one that stalls. */
    const use = async (opens: number): Promise<number> => {
      let count = 0;
      for (let turn = 0; turn < opens; turn += 1) {
        const { session, stream } = await pool.openStream();
        const fake = session.session as FakeSession;
        if (fake === stalls) count += 1;
        clock.setTimeout(() => {
          if (!isStalled || fake === good) fake.streams.find((one) => one === stream)?.acknowledge();
        }, 5);
        clock.setTimeout(() => stream.destroy(), 20);
        clock.advance(1);
        await queueDrained();
      }
      return count;
    };
    const fair = await use(200);
    expect(fair).toBeGreaterThan(80);
    isStalled = true;
    expect(await use(200)).toBeLessThan(25);
    // It is tried now and then, and each time in vain: it stays as slow as it has been silent in all.
    expect(await use(2_000)).toBeLessThan(10);
    isStalled = false;
    clock.advance(60_000);
    expect(await use(200)).toBeGreaterThan(80);
  });

  it.each([[{ decay: 0 }], [{ decay: -1 }], [{ slowStart: -1 }]])('refuses %o', (options) => {
    expect(() => peakEwma(options)).toThrow(RangeError);
  });
});
