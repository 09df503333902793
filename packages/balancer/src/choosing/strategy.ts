// The contract between the pool and whoever chooses: candidates in, an index out.

import type { Unavailability } from '../errors.ts';
import type { AffinityBindEvent, AffinityEvictEvent } from '../observe/events.ts';
import type { AffinityStats } from '../observe/stats.ts';
import type { RoutingContext } from '../routing.ts';

/**
 * Whom it sees may be picked: a strategy knows nothing of drains, caps or filters. Only `pick` is needed; the other methods
 * are for strategies that keep something per session or per key. All are synchronous. What `attach` or `pick` throws is
 * an {@link InvalidStrategyError}, what another method throws goes to the pool's `onHookPanic`.
 */
export interface Strategy {
  /** For error messages. */
  readonly name: string;
  /**
   * The order that the pool keeps for this strategy: the first of it stands at index 0, everybody else anywhere.
   * `'least-recent'`: the candidate picked longest ago, one never picked before all others, in order of adding.
   * `'least-loaded'`: the lowest load, among equals the least recent. Default: no order.
   */
  readonly order?: CandidateOrder | undefined;
  /** Called once, by the pool that takes the strategy. */
  attach?(context: StrategyContext): void;
  /**
   * Returns the index of one candidate, at once. Called only when there is a candidate, and possibly more than once for
   * one open; being asked is not being picked, and `turn` and `load` tell who was.
   * Anything but a legal index becomes an {@link InvalidStrategyError}.
   */
  pick(candidates: CandidateView, routing: RoutingContext): number;
  /**
   * The session that this open belongs to, if it belongs to one, whether or not that can be picked now. Such an open is not spent on finding
   * out whether another session has recovered. `matching` are all that satisfy the constraints, none if there are none. Asking changes
   * nothing.
   */
  boundTo?(routing: RoutingContext, matching: CandidateView): Candidate | undefined;
  /** A session has joined the pool. */
  added?(candidate: Candidate): void;
  /** The label, weight, cap, tags or metadata of a session has changed, or it has recovered. */
  updated?(candidate: Candidate): void;
  /** A session has left the pool; nothing more is heard of it. */
  removed?(candidate: Candidate): void;
  /** An open has its stream, on a session that this strategy picked or that the pool tried by itself. */
  opened?(candidate: Candidate, routing: RoutingContext): void;
  /**
   * The peer of a session has answered an open after so many milliseconds: by its acknowledgement, or, where a stream does not tell of
   * that, by the stream. Only where this is here are answers timed, and `silentSince` is kept.
   */
  readonly answered?: ((candidate: Candidate, ms: number) => void) | undefined;
  /**
   * An open, or the stream that came of it, ended without an answer of the peer: after so many milliseconds, or, if that is more, those for which
   * the peer has owed answers since its last one. Only with `answered`.
   */
  readonly unanswered?: ((candidate: Candidate, ms: number) => void) | undefined;
  /** An attempt has come to nothing; `isFault` unless its caller gave up, or the session is full or retires. */
  failed?(candidate: Candidate, routing: RoutingContext, isFault: boolean): void;
  /** The figures of a strategy that binds keys to sessions, for {@link PoolStats}. */
  affinityStats?(): AffinityStats;
}

/** What a strategy may have the pool sort its candidates by; see {@link Strategy.order}. */
export type CandidateOrder = 'least-recent' | 'least-loaded';

/** What a strategy may use of its pool. */
export interface StrategyContext {
  /** The pool's clock, in milliseconds. */
  now(): number;
  /** The pool's source of chance, at least 0 and below 1. */
  random(): number;
  /** Tell the pool's observers that a key belongs to a session from now on. */
  bound(event: AffinityBindEvent): void;
  /** The binding that `bound` told of is gone. */
  evicted(event: AffinityEvictEvent): void;
}

/**
 * The name that {@link StrategyContext} had first.
 * @alias
 */
export type StrategyHome = StrategyContext;

/** Valid during one pick: indices change as soon as anything happens in the pool. */
export interface CandidateView {
  /** How many may be picked, at least one. */
  readonly length: number;
  /** Undefined past the end. */
  at(index: number): Candidate | undefined;
  /** -1 if it is not among them. */
  indexOf(candidate: Candidate): number;
}

/** One session as a strategy sees it. The same object for as long as the session is in the pool: a WeakMap key. */
export interface Candidate {
  /** Unique in the pool. */
  readonly key: string;
  /**
   * A small number that no other session of the pool has: the index into an array where a strategy keeps something for each. Free for
   * another session once `removed` has returned.
   */
  readonly ordinal: number;
  /** The node that the session leads to. */
  readonly id: string;
  /** Its name for people. */
  readonly label: string | undefined;
  /** Its share of the load. */
  readonly weight: number;
  /** What an open may ask for by `requiredTags`. */
  readonly tags: ReadonlySet<string>;
  /** What its owner says of it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Streams that the pool opened here and that are not fully closed. */
  readonly activeStreams: number;
  /** Opens that the session has not settled yet. */
  readonly pendingStreams: number;
  /** `activeStreams + pendingStreams`. */
  readonly load: number;
  /** Place in the rotation: whoever was picked longer ago has the lower one. */
  readonly turn: number;
  /** Round trip of the session in milliseconds, if it knows. */
  readonly rtt: number | undefined;
  /** Milliseconds for which bytes have waited there in vain, if the session knows. */
  readonly stalledFor: number | undefined;
  /**
   * Since when its peer owes an answer to an open: since its last answer, or the first open after that; later by the times in which it owed
   * none since, because all who waited had given up. Undefined if it owes none now, or the strategy does not hear of answers.
   */
  readonly silentSince: number | undefined;
  /** When it joined, or last recovered. */
  readonly readySince: number;
  /** Why it cannot be picked, in no open; a strategy that remembers a session may ask. */
  readonly unavailable: Unavailability | undefined;
}

/** Whether a strategy's answer is one. */
export function isIndex(index: unknown, { length }: Pick<CandidateView, 'length'>): index is number {
  return Number.isInteger(index) && (index as number) >= 0 && (index as number) < length;
}
