import type { PoolOptions, SessionOptions } from '../../src/options.ts';
import { SessionPool } from '../../src/pool.ts';
import type { FakeSession } from '../../src/testing.ts';

export function poolWith(options: PoolOptions, ...sessions: [FakeSession, SessionOptions?][]): SessionPool {
  const pool = new SessionPool(options);
  for (const [session, sessionOptions] of sessions) pool.add(session, sessionOptions);
  return pool;
}

/** The slots that are taken. */
export function slots(pool: SessionPool): [active: number, pending: number] {
  const { activeStreams, pendingStreams } = pool.stats();
  return [activeStreams, pendingStreams];
}

/** Opens so many streams, and tells the keys of the sessions that serve them. */
export async function opened(pool: SessionPool, times: number): Promise<string> {
  let keys = '';
  for (let open = 0; open < times; open += 1) keys += (await pool.openStream()).session.key;
  return keys;
}
