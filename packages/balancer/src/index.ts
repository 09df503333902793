// The public surface, and no logic.

export { rendezvousHash, rendezvousScore } from './choosing/key-order.ts';
export type { SlowStartOptions } from './choosing/slow-start.ts';
export {
  type AffinityOptions,
  affinity,
  DEFAULT_AFFINITY_MAX_BINDINGS,
  DEFAULT_AFFINITY_TTL,
  type OnUnavailable,
} from './choosing/strategies/affinity.ts';
export { leastConn } from './choosing/strategies/least-conn.ts';
export { createStrategy, mustStrategy, StrategyName, type StrategyOptions } from './choosing/strategies/named.ts';
export { type PeakEwmaOptions, peakEwma } from './choosing/strategies/peak-ewma.ts';
export { random } from './choosing/strategies/random.ts';
export { type RendezvousOptions, rendezvous } from './choosing/strategies/rendezvous.ts';
export { roundRobin } from './choosing/strategies/round-robin.ts';
export { weighted } from './choosing/strategies/weighted.ts';
export type {
  Candidate,
  CandidateOrder,
  CandidateView,
  Strategy,
  StrategyContext,
  StrategyHome,
} from './choosing/strategy.ts';
export { type Clock, systemClock } from './clock.ts';
export {
  DuplicateSessionError,
  InvalidStrategyError,
  NoAvailableSessionError,
  NoMatchingSessionError,
  OpenTimeoutError,
  PoolClosedError,
  PoolError,
  type PoolErrorCode,
  type Unavailability,
  type UnavailableCounts,
} from './errors.ts';
export type { FailureClassifier, FailureContext, FailureDecision, FailureOperation } from './health/failure.ts';
export type { OutlierOptions } from './health/outliers.ts';
export type { DrainHandle, DrainOptions, DrainResult } from './member/drain.ts';
export {
  deleteSessionMetadataKeys,
  mergeSessionMetadata,
  replaceSessionMetadata,
  replaceSessionTags,
  type SessionChange,
  type SessionFacts,
  type SessionUpdate,
  withMaxActiveStreams,
  withSessionLabel,
  withSessionWeight,
} from './member/session-change.ts';
export type { SessionRef } from './member/session-ref.ts';
export type { FromPool, PoolMessages } from './observe/diagnostics.ts';
export type {
  AffinityBindEvent,
  AffinityEvictEvent,
  DrainEvent,
  HealthCause,
  HealthEvent,
  HookPanicEvent,
  OpenErrorEvent,
  OpenEvent,
  PoolEvents,
  RemovalReason,
  RetryEvent,
  SessionAddedEvent,
  SessionNeededEvent,
  SessionRemovedEvent,
  StreamCloseEvent,
} from './observe/events.ts';
export type { SessionExplanation } from './observe/explain.ts';
export type { PoolHooks } from './observe/hooks.ts';
export type { AffinityStats, PoolStats, PoolTotals, SessionSnapshot } from './observe/stats.ts';
export type { OpenedStream } from './opened-stream.ts';
export type { OpenOptions, PoolOptions, SessionOptions } from './options.ts';
export { SessionPool } from './pool.ts';
export type { PoolableSession, StreamOf } from './poolable-session.ts';
export type { RoutingContext } from './routing.ts';
