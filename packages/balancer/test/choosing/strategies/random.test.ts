import { describe, expect, it } from 'vitest';
import { random } from '../../../src/choosing/strategies/random.ts';
import { SessionPool } from '../../../src/pool.ts';
import { FakeSession, seededRandom } from '../../../src/testing.ts';
import { candidate, viewOf } from '../../support/candidates.ts';

const home = (source: () => number) => ({ now: () => 0, random: source, bound: () => {}, evicted: () => {} });

describe('random', () => {
  it('picks each of n equally often', async () => {
    const pool = new SessionPool({ strategy: random(), random: seededRandom(7) });
    const counts = new Map<string, number>();
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      pool.add(new FakeSession().answers(), { key });
      counts.set(key, 0);
    }
    for (let open = 0; open < 5_000; open += 1) {
      const { session, stream } = await pool.openStream();
      counts.set(session.key, (counts.get(session.key) ?? 0) + 1);
      stream.destroy();
    }
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    expect(chiSquared).toBeLessThan(18.5); // 4 degrees of freedom, p = 0.001, on a fixed seed
  });

  it('picks nobody who cannot be picked', async () => {
    const pool = new SessionPool({ strategy: 'random', random: seededRandom(1) });
    for (const key of ['a', 'b', 'c']) pool.add(new FakeSession().answers(), { key });
    pool.drainSession('b');
    for (let open = 0; open < 100; open += 1) expect((await pool.openStream()).session.key).not.toBe('b');
  });

  it.each([
    ['1', 1],
    ['more than 1', 7],
    ['less than 0', -0.5],
    ['NaN', Number.NaN],
  ])('picks a candidate even from a source that says %s', (_what, value) => {
    const strategy = random();
    strategy.attach?.(home(() => value));
    expect([0, 1, 2]).toContain(strategy.pick(viewOf(['a', 'b', 'c'].map((key) => candidate(key))), {}));
  });

  it('leaves the source alone where there is no choice', () => {
    const strategy = random();
    strategy.attach?.(
      home(() => {
        throw new Error('asked');
      }),
    );
    expect(strategy.pick(viewOf([candidate('a')]), {})).toBe(0);
  });
});
