// What happens in a pool that somebody outside may want to know. Hooks and diagnostics_channel tell the same events.
import type { Duplex } from 'node:stream';
import type { RoutingContext } from '../routing.ts';
import type { SessionSnapshot } from './stats.ts';

/** Each event by the name of its hook. */
export interface PoolEvents {
  /** A session left the candidates because it failed too often, or far more often than the others, or came back because it has shown that it works. */
  onHealthChange: HealthEvent;
  /** A session has joined, and may be picked. */
  onSessionAdded: SessionAddedEvent;
  /** A session has left, and nothing more is heard of it but the ends of its streams. */
  onSessionRemoved: SessionRemovedEvent;
  /** A session began to drain, by whatever cause, or takes streams again. */
  onDrain: DrainEvent;
  /** An open has its stream; its caller is next. */
  onOpen: OpenEvent;
  /** An open has failed; its caller gets the error. */
  onOpenError: OpenErrorEvent;
  /** An open waits for a session that there is not, or fewer sessions are left than the pool should have: time to dial one. */
  onSessionNeeded: SessionNeededEvent;
  /** An attempt has failed, and another session is tried. */
  onRetry: RetryEvent;
  /** A stream that the pool gave to a caller is fully closed, its slot free. */
  onStreamClose: StreamCloseEvent;
  /** An affinity key belongs to a session from now on: the first open has succeeded. */
  onAffinityBind: AffinityBindEvent;
  /** A binding is gone, and not because its key moved to another session. */
  onAffinityEvict: AffinityEvictEvent;
  /** Something that the pool called threw, or its promise rejected. */
  onHookPanic: HookPanicEvent;
}

/** `'failures'`: too many in a row. `'outlier'`: far worse than the others. `'recovered'`: its trial was answered. */
export type HealthCause = 'failures' | 'outlier' | 'recovered';

/** Of `onHealthChange` and `yamux:pool:session:health`. */
export interface HealthEvent {
  /** The session, as it is now. */
  readonly snapshot: SessionSnapshot;
  /** What it is from now on. */
  readonly healthy: boolean;
  /** What made it so. */
  readonly cause: HealthCause;
  /** For people: what made it so. */
  readonly reason: string;
}

/** Of `onSessionAdded` and `yamux:pool:session:add`. */
export interface SessionAddedEvent {
  /** The session, as it is now. */
  readonly snapshot: SessionSnapshot;
}

/** `'closed'`: the session ended. `'removed'`: somebody called `remove()`. `'pool-closed'`: the pool let go of it. */
export type RemovalReason = 'closed' | 'removed' | 'pool-closed';

/** Of `onSessionRemoved` and `yamux:pool:session:remove`. */
export interface SessionRemovedEvent {
  /** The session, as it was when it left. */
  readonly snapshot: SessionSnapshot;
  /** Why it left. */
  readonly reason: RemovalReason;
  /** The error with which the session ended, if it told one. */
  readonly error: Error | undefined;
}

/** Of `onDrain` and `yamux:pool:session:drain`. */
export interface DrainEvent {
  /** The session, as it is now. */
  readonly snapshot: SessionSnapshot;
  /** False when it takes streams again. */
  readonly draining: boolean;
}

/** Of `onOpen`, and on `yamux:pool:open` of an open that has its stream. */
export interface OpenEvent {
  /** The session that serves it. */
  readonly sessionKey: string;
  /** The session's own stream, which the caller gets. */
  readonly stream: Duplex;
  /** 1 for the first session that this open tried. */
  readonly attempt: number;
  /** Milliseconds, all attempts together. */
  readonly durationMs: number;
}

/** Of `onOpenError`, and on `yamux:pool:open` of an open that failed. */
export interface OpenErrorEvent {
  /** The session that was tried last; undefined if none could be. */
  readonly sessionKey: string | undefined;
  /** How many sessions were tried. */
  readonly attempt: number;
  /** What the caller gets. */
  readonly error: unknown;
  /** The caller's signal ended it, which is nobody's failure. */
  readonly aborted: boolean;
  /** Milliseconds, all attempts together. */
  readonly durationMs: number;
}

/** Of `onSessionNeeded` and `yamux:pool:session:needed`. */
export interface SessionNeededEvent {
  /**
   * What is asked for: of the open that waits longest for that; empty where fewer than `minimum` sessions are left. Told when the first open
   * begins to wait, and again when a session has joined that was not enough.
   */
  readonly routing: RoutingContext;
  /** How many opens wait for that. */
  readonly waiting: number;
  /** Sessions of the pool that do not drain. */
  readonly sessions: number;
}

/** Of `onRetry` and `yamux:pool:retry`. */
export interface RetryEvent {
  /** The session that is tried now. */
  readonly sessionKey: string;
  /** 2 for the second session that this open tries. */
  readonly attempt: number;
  /** The session that was tried before. */
  readonly failedSessionKey: string;
  /** What that one rejected with. */
  readonly error: unknown;
}

/** Of `onStreamClose`. */
export interface StreamCloseEvent {
  /** The session that served it. */
  readonly sessionKey: string;
  /** The stream. */
  readonly stream: Duplex;
  /** What the stream ended with; undefined after a clean end. */
  readonly error: Error | undefined;
  /** Milliseconds since `onOpen`. */
  readonly durationMs: number;
}

/** Of `onAffinityBind` and `yamux:pool:affinity:bind`. It has the key itself: mind where you write it. */
export interface AffinityBindEvent {
  /** Which part of the routing the key came from. */
  readonly kind: 'affinityKey' | 'sourceIp';
  /** The tenant, user or address. */
  readonly key: string;
  /** The session's key. */
  readonly sessionKey: string;
}

/** Of `onAffinityEvict` and `yamux:pool:affinity:evict`. It has the key itself: mind where you write it. */
export interface AffinityEvictEvent extends AffinityBindEvent {
  /** `'ttl'`: not used for so long. `'cap'`: the least recently used of too many. `'removed'`: its session left. */
  readonly reason: 'ttl' | 'cap' | 'removed';
}

/** Of `onHookPanic` and `yamux:pool:hook:panic`. */
export interface HookPanicEvent {
  /** The name of the hook, or of what else threw: `'failureClassifier'`, `'strategy.opened'`, `'session.destroy'`. */
  readonly hook: string;
  /** What was thrown, or what the promise rejected with. */
  readonly error: unknown;
}
