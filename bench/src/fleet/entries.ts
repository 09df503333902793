// Names, agents and nodes as long as those of a real fleet are.
import type { Entry, NodeRecord } from '@zishuo/yamux-fleet';

const padded = (number: number): string => String(number).padStart(6, '0');

export function nameOf(number: number): string {
  return `host-${padded(number)}.tunnels.example`;
}

export function agentOf(number: number): string {
  return `agent-${padded(number)}`;
}

/** As long as the id of a node is. */
export function nodeIdOf(number: number): string {
  return number.toString(16).padStart(16, 'f');
}

export function nodeRecord(number: number): NodeRecord {
  return {
    id: nodeIdOf(number),
    name: `gateway-${number}`,
    address: `gateway-${number}.internal.example:7400`,
    weight: 1,
    sessions: 10_000,
    load: 100,
    draining: false,
  };
}

/** The entry of a name with one agent, at node 0 unless another is named. */
export function entryOf(number: number, seq: number, node = 0): Entry {
  return {
    node: nodeIdOf(node),
    name: nameOf(number),
    seq,
    sessions: 1,
    agents: [{ id: agentOf(number), weight: 1 }],
  };
}
