// A placement as choices need it: with the hashes that the order of keys is made of.
import { rendezvousHash } from '@zishuo/yamux-balancer';
import type { Agent, Placement } from '../directory/directory.ts';

export interface KnownAgent extends Agent {
  readonly hash: number;
}

export interface KnownPlacement {
  readonly node: string;
  readonly sessions: number;
  /** Empty when they are too many to be listed. */
  readonly agents: readonly KnownAgent[];
}

export function known({ node, sessions, agents }: Placement): KnownPlacement {
  return { node, sessions, agents: agents.map(({ id, weight }) => ({ id, weight, hash: rendezvousHash(id) })) };
}
