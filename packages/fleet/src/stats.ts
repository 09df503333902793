// The figures of a fleet: plain values, created on request.
import type { SessionExplanation } from '@zishuo/yamux-balancer';
import type { NodeRecord } from './directory/directory.ts';

/** One node, from the view of this node. */
export interface NodeStatus extends NodeRecord {
  /** Whether it is this node. */
  readonly isSelf: boolean;
  /** The sessions from this node to it. */
  readonly links: number;
  /** Whether one of these sessions takes streams; always true for this node. */
  readonly isReachable: boolean;
  /** Round trip in milliseconds, if known. */
  readonly rtt: number | undefined;
  /** Streams that this node has opened there since `load` was published. */
  readonly opens: number;
  /** Streams that this node asked it for. */
  readonly forwardsOut: number;
  /** Streams that it asked this node for. */
  readonly forwardsIn: number;
  /** Milliseconds since the directory last listed it as alive; for this node, since the directory last answered. */
  readonly heardMs: number;
  /** The error of the last dial. */
  readonly lastError: string | undefined;
}

/** A candidate node for an open. */
export interface NodeExplanation {
  /** The name of the node. */
  readonly node: string;
  /** Whether it is this node. */
  readonly isSelf: boolean;
  /** The number of its sessions for the name, as far as is known. */
  readonly sessions: number;
  /** `'gone'`: not a known node. `'unreachable'`: no link. `'draining'`: used only if no other node can serve. */
  readonly verdict: 'eligible' | 'draining' | 'unreachable' | 'gone';
  /** Whether it would be asked first, or could be if the choice is random. */
  readonly next: boolean;
}

/** The node to which an open would go, and the reasons. */
export interface FleetExplanation {
  /** The known nodes with sessions for the name. */
  readonly nodes: readonly NodeExplanation[];
  /** Every session of the node's own pool. */
  readonly sessions: readonly SessionExplanation[];
}

/** The figures of one node. */
export interface FleetStats {
  /** Known nodes, including this one. */
  readonly nodes: number;
  /** Known nodes that can be reached. */
  readonly nodesReachable: number;
  /** Names with sessions in the node's own pool. */
  readonly names: number;
  /** Names whose change the directory has not confirmed yet. */
  readonly namesUntold: number;
  /** Names with placements in the cache. */
  readonly namesCached: number;
  /** Names without placements in the cache. */
  readonly namesUnknown: number;
  /** Milliseconds for which the directory has not answered; undefined while it answers. */
  readonly directoryDownMs: number | undefined;
  /** Milliseconds since it last answered a beat; undefined before the first answer. */
  readonly beatAgeMs: number | undefined;
  /** Beats that were sent. */
  readonly beats: number;
  /** Beats without an answer. */
  readonly beatFailures: number;
  /** Lookups in the directory. */
  readonly lookups: number;
  /** Lookups that failed. */
  readonly lookupFailures: number;
  /** Lookups of unknown names that were refused by the limit. */
  readonly lookupsLimited: number;
  /** Streams that this node asked other nodes for. */
  readonly forwardsOut: number;
  /** Opens that tried a further node. */
  readonly retries: number;
  /** Streams that other nodes asked this one for, by result. */
  readonly forwardsIn: Readonly<Record<'accepted' | 'not-here' | 'gone' | 'refused', number>>;
  /** Links from other nodes to this one. */
  readonly linksIn: number;
  /** Connections to the peer port that were refused. */
  readonly peersRejected: number;
}
