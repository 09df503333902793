// Watches the node's own pool: the sessions that take streams, and their names.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { PoolMessages, SessionPool, SessionSnapshot } from '@zishuo/yamux-balancer';
import type { Holdings } from './names/holdings.ts';

type Channel = 'yamux:pool:session:add' | 'yamux:pool:session:drain' | 'yamux:pool:session:remove';

/** Keeps the holdings equal to the pool until the returned function is called. */
export function watchPool(
  pool: SessionPool,
  holdings: Holdings,
  namesOf: (session: SessionSnapshot) => readonly string[],
): () => void {
  const update = (session: SessionSnapshot): void => {
    const { key, id, weight } = session;
    if (session.draining) holdings.delete(key);
    else holdings.set(key, { id, weight }, namesOf(session));
  };
  const ends = [
    hear(pool, 'yamux:pool:session:add', update),
    hear(pool, 'yamux:pool:session:drain', update),
    hear(pool, 'yamux:pool:session:remove', ({ key }) => holdings.delete(key)),
  ];
  for (const session of pool.sessions()) update(session.snapshot());
  return () => {
    for (const end of ends) end();
  };
}

function hear(pool: SessionPool, name: Channel, heard: (session: SessionSnapshot) => void): () => void {
  const listener = (message: unknown): void => {
    const told = message as PoolMessages[Channel];
    if (told.pool === pool) heard(told.snapshot);
  };
  subscribe(name, listener);
  return () => void unsubscribe(name, listener);
}
