import { describe, expect, it } from 'vitest';
import { SessionPool } from '../../../src/pool.ts';
import { FakeSession } from '../../../src/testing.ts';
import { opened } from '../../support/pool-with.ts';

describe('round-robin', () => {
  it('takes sessions in turn, a new one first', async () => {
    const pool = new SessionPool();
    for (const key of ['a', 'b', 'c']) pool.add(new FakeSession().answers(), { key });
    expect(await opened(pool, 5)).toBe('abcab');
    for (const key of ['x', 'y']) pool.add(new FakeSession().answers(), { key });
    expect(await opened(pool, 7)).toBe('xycabxy');
  });

  it('gives one that comes back its turn, and no burst', async () => {
    const pool = new SessionPool();
    for (const key of ['a', 'b', 'c']) pool.add(new FakeSession().answers(), { key });
    pool.drainSession('a');
    expect(await opened(pool, 6)).toBe('bcbcbc');
    pool.resumeSession('a');
    expect(await opened(pool, 6)).toBe('abcabc');
  });

  it('starves nobody when opens with different filters alternate', async () => {
    const pool = new SessionPool();
    const keys = ['a', 'b', 'c', 'd'];
    for (const key of keys) pool.add(new FakeSession().answers(), { key, id: key < 'c' ? 'low' : 'high' });
    const picked = new Map(keys.map((key) => [key, 0]));
    for (let open = 0; open < 40; open += 1) {
      const { session } = await pool.openStream({ sessionId: open % 2 === 0 ? 'low' : 'high' });
      picked.set(session.key, (picked.get(session.key) ?? 0) + 1);
    }
    expect([...picked.values()]).toEqual([10, 10, 10, 10]);
  });
});
