import { rendezvousHash } from '@zishuo/yamux-balancer';
import type { NodeRecord } from '../../src/directory/directory.ts';
import type { KnownPlacement } from '../../src/names/known-placement.ts';
import { known } from '../../src/names/known-placement.ts';
import type { KnownNode } from '../../src/nodes/node-view.ts';

export function nodeRecord(id: string, more: Partial<NodeRecord> = {}): NodeRecord {
  return { id, name: id, address: `${id}:1`, weight: 1, sessions: 0, load: 0, draining: false, ...more };
}

export function knownNode(id: string, more: Partial<NodeRecord> = {}, opens = 0): KnownNode {
  const record = nodeRecord(id, more);
  return { record, hash: rendezvousHash(record.name), opens, heardAt: 0 };
}

export function placed(node: string, sessions: number, agents: readonly string[] = []): KnownPlacement {
  return known({ node, sessions, agents: agents.map((id) => ({ id, weight: 1 })) });
}
