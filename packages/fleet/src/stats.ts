// What a fleet tells of itself: plain values, made when asked for.
import type { SessionExplanation } from '@zishuo/yamux-balancer';
import type { NodeRecord } from './directory/directory.ts';

/** One node, as this one sees it. */
export interface NodeStatus extends NodeRecord {
  /** It is this node. */
  readonly isSelf: boolean;
  /** Sessions of this node to it. */
  readonly links: number;
  /** One of them takes streams; always true of this node. */
  readonly isReachable: boolean;
  /** Round trip in milliseconds, if known. */
  readonly rtt: number | undefined;
  /** Streams that this node has opened there since `load` was told. */
  readonly opens: number;
  /** Streams that were asked of it. */
  readonly forwardsOut: number;
  /** Streams that it has asked for. */
  readonly forwardsIn: number;
  /** Milliseconds since the directory last said that it is alive; of this node, since it last answered at all. */
  readonly heardMs: number;
  /** What the last dial failed with. */
  readonly lastError: string | undefined;
}

/** What one node could do for an open. */
export interface NodeExplanation {
  /** Its name. */
  readonly node: string;
  /** It is this node. */
  readonly isSelf: boolean;
  /** How many sessions it has for the name, as far as is known. */
  readonly sessions: number;
  /** `'gone'`: it is not among the nodes. `'unreachable'`: there is no link. `'draining'`: only where no other can serve. */
  readonly verdict: 'eligible' | 'draining' | 'unreachable' | 'gone';
  /** It would be asked first; where chance decides, it might be. */
  readonly next: boolean;
}

/** Where an open would go, and why. */
export interface FleetExplanation {
  /** Each node that is known to have sessions for the name. */
  readonly nodes: readonly NodeExplanation[];
  /** Each session of the own pool. */
  readonly sessions: readonly SessionExplanation[];
}

/** The figures of one node. */
export interface FleetStats {
  /** Nodes that are known, this one included. */
  readonly nodes: number;
  /** Of these, those that can be reached. */
  readonly nodesReachable: number;
  /** Names that the own pool has sessions for. */
  readonly names: number;
  /** Names whose change the directory has yet to confirm. */
  readonly namesUntold: number;
  /** Names whose nodes are remembered. */
  readonly namesCached: number;
  /** Names that are remembered to have none. */
  readonly namesUnknown: number;
  /** Milliseconds since the directory has not answered; undefined while it answers. */
  readonly directoryDownMs: number | undefined;
  /** Milliseconds since it answered a beat; undefined before the first. */
  readonly beatAgeMs: number | undefined;
  /** Beats, and those that were not answered. */
  readonly beats: number;
  /** Beats without an answer. */
  readonly beatFailures: number;
  /** Lookups that went to the directory. */
  readonly lookups: number;
  /** Of these, those that failed. */
  readonly lookupFailures: number;
  /** Unknown names that were not looked up: too many a second. */
  readonly lookupsLimited: number;
  /** Streams that were asked of other nodes. */
  readonly forwardsOut: number;
  /** Opens that went on to another node. */
  readonly retries: number;
  /** Streams that other nodes asked for, by what became of them. */
  readonly forwardsIn: Readonly<Record<'accepted' | 'not-here' | 'gone' | 'refused', number>>;
  /** Links that other nodes have to this one. */
  readonly linksIn: number;
  /** Connections to the peer port that were turned away. */
  readonly peersRejected: number;
}
