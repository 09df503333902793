import { describe, expect, it } from 'vitest';
import { SessionPool } from '../../../src/pool.ts';
import { FakeSession, queueDrained } from '../../../src/testing.ts';
import { opened } from '../../support/pool-with.ts';

describe('least-conn', () => {
  it('takes the session with the fewest streams, pending ones included, and rotates among equals', async () => {
    const pool = new SessionPool({ strategy: 'least-conn' });
    const [a, b, c] = [new FakeSession(), new FakeSession().answers(), new FakeSession().answers()];
    pool.add(a, { key: 'a' });
    pool.add(b, { key: 'b' });
    pool.add(c, { key: 'c' });
    void pool.open();
    expect(await opened(pool, 2)).toBe('bc');
    void pool.open();
    expect(a.opens).toHaveLength(2);
    expect(await opened(pool, 2)).toBe('bc');
    for (const stream of b.streams) stream.destroy();
    await queueDrained();
    expect(await opened(pool, 2)).toBe('bb');
  });

  it('spreads a burst evenly', () => {
    const pool = new SessionPool({ strategy: 'least-conn' });
    const sessions = Array.from({ length: 7 }, () => new FakeSession());
    for (const session of sessions) pool.add(session);
    for (let open = 0; open < 70; open += 1) void pool.open();
    expect(sessions.map(({ opens }) => opens.length)).toEqual(Array(7).fill(10));
  });
});
