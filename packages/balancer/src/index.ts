// The public surface, and no logic.
export type { Clock } from './clock.ts';
export type { FromPool, PoolMessages } from './diagnostics.ts';
export type { DrainHandle, DrainOptions, DrainResult } from './drain.ts';
export {
  DuplicateSessionError,
  InvalidStrategyError,
  NoAvailableSessionError,
  NoMatchingSessionError,
  OpenTimeoutError,
  PoolClosedError,
  PoolError,
  type PoolErrorCode,
  type UnavailableCounts,
} from './errors.ts';
export type {
  AffinityBindEvent,
  AffinityEvictEvent,
  DrainEvent,
  HealthEvent,
  HookPanicEvent,
  OpenErrorEvent,
  OpenEvent,
  PoolEvents,
  RemovalReason,
  RetryEvent,
  SessionAddedEvent,
  SessionRemovedEvent,
  StreamCloseEvent,
} from './events.ts';
export type { SessionExplanation } from './explain.ts';
export type { FailureClassifier, FailureContext, FailureDecision, FailureOperation } from './failure.ts';
export type { PoolHooks } from './hooks.ts';
export type { OpenOptions, PoolOptions, SessionOptions } from './options.ts';
export { type OpenedStream, SessionPool } from './pool.ts';
export type { PoolableSession } from './poolable-session.ts';
export type { RoutingContext } from './routing.ts';
export {
  deleteSessionMetadataKeys,
  mergeSessionMetadata,
  replaceSessionMetadata,
  type SessionChange,
  type SessionFacts,
  withMaxActiveStreams,
  withSessionLabel,
  withSessionWeight,
} from './session-change.ts';
export type { SessionRef } from './session-ref.ts';
export type { AffinityStats, PoolStats, PoolTotals, SessionSnapshot } from './stats.ts';
export {
  type AffinityOptions,
  affinity,
  DEFAULT_AFFINITY_MAX_BINDINGS,
  DEFAULT_AFFINITY_TTL,
  type OnUnavailable,
} from './strategies/affinity.ts';
export { leastConn } from './strategies/least-conn.ts';
export { createStrategy, mustStrategy, StrategyName } from './strategies/named.ts';
export { random } from './strategies/random.ts';
export { roundRobin } from './strategies/round-robin.ts';
export { weighted } from './strategies/weighted.ts';
export type {
  Candidate,
  CandidateOrder,
  CandidateView,
  Strategy,
  StrategyHome,
  Unavailability,
} from './strategy.ts';
