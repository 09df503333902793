// A placement with the hashes that the choice by key needs.
import { rendezvousHash } from '@zishuo/yamux-balancer';
import type { Agent, Placement } from '../directory/directory.ts';

export interface KnownAgent extends Agent {
  readonly hash: number;
}

export interface KnownPlacement {
  readonly node: string;
  readonly sessions: number;
  /** Empty if there are too many to list. */
  readonly agents: readonly KnownAgent[];
}

export function known({ node, sessions, agents }: Placement): KnownPlacement {
  return { node, sessions, agents: agents.map(({ id, weight }) => ({ id, weight, hash: rendezvousHash(id) })) };
}
