import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OutlierRules, Outliers } from '../../src/health/outliers.ts';
import type { HealthEvent } from '../../src/observe/events.ts';
import type { PoolOptions } from '../../src/options.ts';
import { SessionPool } from '../../src/pool.ts';
import { FakeSession, ManualClock, queueDrained, seededRandom } from '../../src/testing.ts';
import { runs } from '../support/runs.ts';

const RULES: OutlierRules = {
  interval: 1_000,
  minimumOpens: 50,
  latencyFactor: 3,
  ejectionTime: 30_000,
  maxEjectionPercent: 100,
};

class Member {
  healthy = true;
  readonly ejections: [ms: number, reason: string][] = [];

  eject(ms: number, reason: string): void {
    this.healthy = false;
    this.ejections.push([ms, reason]);
  }
}

class Scene {
  readonly members: Member[];
  readonly outliers: Outliers<Member>;
  now = 0;

  constructor(count: number, rules: Partial<OutlierRules> = {}) {
    this.outliers = new Outliers<Member>({ ...RULES, ...rules });
    this.members = Array.from({ length: count }, () => new Member());
    for (const member of this.members) this.outliers.added(member);
  }

  /** One interval in which each has so many opens, of which that share fails, each answered in so many milliseconds. */
  interval(
    facts: (index: number) => { readonly opens?: number; readonly failing?: number; readonly ms?: number },
  ): void {
    this.members.forEach((member, index) => {
      const { opens = 100, failing = 0, ms = 20 } = facts(index);
      for (let open = 0; open < opens; open += 1) {
        if (open < failing * opens) this.outliers.failed(member, this.now);
        else this.outliers.answered(member, ms, this.now);
      }
    });
    this.now += RULES.interval;
    const [first] = this.members;
    if (first !== undefined) this.outliers.answered(first, 20, this.now);
  }

  get ejected(): number[] {
    return this.members.flatMap(({ healthy }, index) => (healthy ? [] : [index]));
  }
}

describe('outliers', () => {
  it.each([
    ['fails far more opens', { failing: 0.4 }, "40 % of its opens failed, 0 % of the others'"],
    ['answers nothing at all', { failing: 1 }, "100 % of its opens failed, 0 % of the others'"],
    ['answers far more slowly', { ms: 300 }, 'its peer answered in 300 ms, those of the others in 20 ms'],
  ])('are a session that %s than the others', (_what, facts, reason) => {
    const scene = new Scene(5);
    scene.interval((index) => (index === 3 ? facts : {}));
    expect(scene.ejected).toEqual([3]);
    expect(scene.members[3]?.ejections).toEqual([[30_000, reason]]);
  });

  it.each<[string, number, (index: number) => object]>([
    ['one of two', 2, (index) => (index === 0 ? { failing: 1 } : {})],
    ['one with few opens', 5, (index) => (index === 1 ? { failing: 1, opens: 49 } : {})],
    ['all, where all fail', 5, () => ({ failing: 0.9 })],
    ['one a little worse than the others', 5, (index) => (index === 0 ? { failing: 0.3, ms: 55 } : { failing: 0.1 })],
    [
      'one that is quick in milliseconds, though many times slower',
      5,
      (index) => (index === 0 ? { ms: 5 } : { ms: 0.5 }),
    ],
  ])('are not %s', (_what, count, facts) => {
    const scene = new Scene(count);
    scene.interval(facts);
    expect(scene.ejected).toEqual([]);
  });

  it('are not to be found in what is the same for all, whatever that is', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.integer({ min: 3, max: 30 }),
        (seed, failing, count) => {
          const random = seededRandom(seed);
          const scene = new Scene(count);
          for (let interval = 0; interval < 3; interval += 1) {
            for (const member of scene.members) {
              for (let open = 0; open < 200; open += 1) {
                if (random() < failing) scene.outliers.failed(member, scene.now);
                else scene.outliers.answered(member, -20 * Math.log(1 - random()), scene.now);
              }
            }
            scene.interval(() => ({ opens: 0 }));
          }
          expect(scene.ejected).toEqual([]);
        },
      ),
      runs(20),
    );
  });

  it('are at most so many percent at a time, the farthest first, and at least one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 12 }), fc.nat(100), fc.array(fc.nat(11)), (count, percent, bad) => {
        const scene = new Scene(count, { maxEjectionPercent: percent });
        const most = Math.max(1, Math.floor((count * percent) / 100));
        for (let interval = 0; interval < 3; interval += 1) {
          scene.interval((index) => (bad.includes(index) ? { failing: 0.5 + index / 100 } : {}));
          expect(scene.ejected.length).toBeLessThanOrEqual(most);
        }
        const [first] = scene.members.flatMap(({ ejections }, index) => (ejections.length > 0 ? [index] : []));
        if (scene.ejected.length === 1 && first !== undefined && percent === 0) {
          expect(first).toBe(Math.max(...bad.filter((index) => index < count)));
        }
      }),
      runs(100),
    );
  });

  it('stay away for twice as long each time, up to five minutes, and for less again after good intervals', () => {
    const scene = new Scene(5, { ejectionTime: 60_000 });
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      scene.interval((index) => (index === 0 ? { failing: 1 } : {}));
      times.push(scene.members[0]?.ejections.at(-1)?.[0] ?? 0);
      for (const member of scene.members) member.healthy = true;
    }
    expect(times).toEqual([60_000, 120_000, 240_000, 300_000, 300_000]);
    for (let round = 0; round < 5; round += 1) scene.interval(() => ({}));
    scene.interval((index) => (index === 0 ? { failing: 1 } : {}));
    expect(scene.members[0]?.ejections.at(-1)?.[0]).toBe(60_000);
  });
});

describe('a pool that looks for outliers', () => {
  async function story(
    options: PoolOptions,
  ): Promise<{ pool: SessionPool; health: HealthEvent[]; clock: ManualClock; sessions: FakeSession[] }> {
    const clock = new ManualClock();
    const health: HealthEvent[] = [];
    const pool = new SessionPool({
      clock,
      healthFailureThreshold: 0,
      hooks: { onHealthChange: (event) => health.push(event) },
      ...options,
    });
    const sessions = Array.from({ length: 5 }, () => new FakeSession());
    for (const session of sessions) pool.add(session);
    const [bad] = sessions;
    for (let open = 0; open < 600; open += 1) {
      const opening = pool.open().catch(() => undefined);
      for (const session of sessions) {
        const call = session.opens.pop();
        if (call === undefined) continue;
        if (session === bad && open % 2 === 0) call.reject(new Error('broken'));
        else {
          const stream = call.resolve();
          await queueDrained();
          stream.acknowledge();
          stream.destroy();
        }
      }
      await queueDrained();
      for (const session of sessions) session.opens.pop()?.resolve().destroy();
      await opening;
      clock.advance(20);
    }
    return { pool, health, clock, sessions };
  }

  it('ejects one, says why, has it probed after that, and destroys it not even where failed ones are closed', async () => {
    const { pool, health, clock, sessions } = await story({ outliers: true, closeFailedSessions: true });
    expect(health).toMatchObject([{ healthy: false, cause: 'outlier', snapshot: { key: 'session-1' } }]);
    expect(health[0]?.reason).toMatch(/^\d+ % of its opens failed, 0 % of the others'$/);
    expect(pool.explain()[0]).toMatchObject({
      verdict: 'unhealthy',
      detail: expect.stringContaining('It was ejected: '),
    });
    expect(pool.stats().sessions[0]).toMatchObject({ healthy: false, ejectedFor: health[0]?.reason });
    expect(sessions[0]?.destroyedWith).toBeUndefined();
    clock.advance(30_000);
    for (const session of sessions) session.answers();
    const { stream, session } = await pool.openStream();
    expect(session.key).toBe('session-1');
    sessions[0]?.streams[0]?.acknowledge();
    expect(health[1]).toMatchObject({ healthy: true, cause: 'recovered' });
    expect(pool.stats().sessions[0]).toMatchObject({ healthy: true, ejectedFor: undefined });
    stream.destroy();
  });

  it('does nothing of the kind by default', async () => {
    expect((await story({})).health).toEqual([]);
  });

  it.each([
    [{ interval: -1 }, RangeError],
    [{ minimumOpens: 0 }, RangeError],
    [{ latencyFactor: 1 }, RangeError],
    [{ ejectionTime: Number.NaN }, RangeError],
    [{ minOpens: 5 }, TypeError],
  ])('refuses the options %o', (outliers, type) => {
    expect(() => new SessionPool({ outliers: outliers as object })).toThrow(type);
  });
});
