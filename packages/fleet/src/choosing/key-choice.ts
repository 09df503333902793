// The node for an affinity key, the same at every node: by highest random weight over the agents while they are few, so that an agent that moves keeps
// its keys; else over the nodes.
import { rendezvousScore } from '@zishuo/yamux-balancer';
import { MAX_LISTED_AGENTS } from '../names/holdings.ts';
import type { KnownNode } from '../nodes/node-view.ts';
import type { Option } from './choice.ts';

/** `options` must have at least one entry. */
export function firstInOrder(options: readonly Option[], keyHash: number, self: string): KnownNode {
  return firstAgent(options, keyHash, self) ?? firstNode(options, keyHash);
}

/** Undefined if there are too many agents, or if a node does not list its agents. */
function firstAgent(options: readonly Option[], keyHash: number, self: string): KnownNode | undefined {
  const ids = new Set<string>();
  let best: KnownNode | undefined;
  let bestId = '';
  let bestScore = -1;
  for (const { placement, node } of options) {
    if (placement.agents.length === 0) return undefined;
    for (const { id, weight, hash } of placement.agents) {
      ids.add(id);
      if (ids.size > MAX_LISTED_AGENTS) return undefined;
      const score = rendezvousScore(keyHash, hash, weight);
      if (score < bestScore || (score === bestScore && id > bestId)) continue;
      // If the agent is connected to several nodes and this node is among them, choose this node.
      if (score === bestScore && id === bestId && node.record.id !== self) continue;
      best = node;
      bestId = id;
      bestScore = score;
    }
  }
  return best;
}

function firstNode(options: readonly Option[], keyHash: number): KnownNode {
  let best = (options[0] as Option).node;
  let bestScore = -1;
  for (const { node } of options) {
    const score = rendezvousScore(keyHash, node.hash, node.record.weight);
    if (score < bestScore || (score === bestScore && node.record.name > best.record.name)) continue;
    best = node;
    bestScore = score;
  }
  return best;
}
