import { describe, expect, it } from 'vitest';
import type { PoolOptions } from '../src/options.ts';
import { SessionPool } from '../src/pool.ts';
import { FakeSession, ManualClock } from '../src/testing.ts';

/** Four sessions, of which the first so many have just failed. */
async function sick(count: number, options: PoolOptions): Promise<{ pool: SessionPool; sessions: FakeSession[] }> {
  const clock = new ManualClock();
  const pool = new SessionPool({ clock, healthFailureThreshold: 1, openAttempts: 1, ...options });
  const sessions = Array.from({ length: 4 }, () => new FakeSession());
  for (const [index, session] of sessions.entries())
    pool.add(session, { key: `s${index}`, tags: [index < 2 ? 'x' : 'y'] });
  for (const session of sessions.slice(0, count)) {
    session.refuses(new Error('broken'));
    const ref = pool.sessions().find((one) => one.session === session);
    await expect(pool.open({ sessionKey: ref?.key })).rejects.toThrow('broken');
  }
  for (const session of sessions) session.answers();
  return { pool, sessions };
}

async function served(pool: SessionPool, routing: object = {}): Promise<string[]> {
  const keys: string[] = [];
  for (let open = 0; open < 8; open += 1) keys.push((await pool.openStream(routing)).session.key);
  return [...new Set(keys)].sort();
}

describe('a panic threshold', () => {
  it('of 50 % heeds health while half are healthy, and ignores it when fewer are', async () => {
    expect(await served((await sick(2, { panicThreshold: 50 })).pool)).toEqual(['s2', 's3']);
    const { pool } = await sick(3, { panicThreshold: 50 });
    expect(pool.stats()).toMatchObject({ panic: true, sessionsHealthy: 1, sessionsAvailable: 1 });
    expect(await served(pool)).toEqual(['s0', 's1', 's2', 's3']);
  });

  it('is weighed among the sessions that match', async () => {
    const { pool } = await sick(2, { panicThreshold: 40 });
    expect(pool.stats().panic).toBe(false);
    expect(await served(pool, { requiredTags: ['x'] })).toEqual(['s0', 's1']);
    expect(await served(pool, { requiredTags: ['y'] })).toEqual(['s2', 's3']);
  });

  it('is told by explain(), and ends when a session that was tried has answered', async () => {
    const { pool, sessions } = await sick(3, { panicThreshold: 50 });
    expect(pool.explain().map(({ verdict }) => verdict)).toEqual(['eligible', 'eligible', 'eligible', 'eligible']);
    expect(pool.explain()[0]?.detail).toContain('health is ignored');
    await served(pool);
    sessions[0]?.streams[0]?.acknowledge();
    expect(pool.stats()).toMatchObject({ panic: false, sessionsHealthy: 2 });
    expect(pool.explain()[1]?.verdict).toBe('unhealthy');
  });

  it('is off by default, and never sends to a session that drains or is full', async () => {
    const off = await sick(4, {});
    await expect(off.pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION' });
    const { pool } = await sick(4, { panicThreshold: 100, maxActiveStreams: 2 });
    pool.drainSession('s0');
    await pool.open({ sessionKey: 's1' });
    await pool.open({ sessionKey: 's1' });
    await expect(pool.open({ sessionKey: 's1' })).rejects.toThrow();
    await expect(pool.open({ sessionKey: 's0' })).rejects.toMatchObject({ counts: { draining: 1 } });
  });

  it('is a percentage', () => {
    expect(() => new SessionPool({ panicThreshold: 101 })).toThrow(RangeError);
  });
});
