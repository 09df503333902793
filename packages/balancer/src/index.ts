// The public surface, and no logic.
export type { Clock } from './clock.ts';
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
export type { OpenOptions, PoolOptions, SessionOptions } from './options.ts';
export { type OpenedStream, SessionPool } from './pool.ts';
export type { PoolableSession } from './poolable-session.ts';
export type { RoutingContext } from './routing.ts';
export type { SessionRef } from './session-ref.ts';
export type { PoolStats, SessionSnapshot } from './stats.ts';
export { leastConn } from './strategies/least-conn.ts';
export { createStrategy, StrategyName } from './strategies/named.ts';
export { roundRobin } from './strategies/round-robin.ts';
export type { Candidate, CandidateOrder, CandidateView, Strategy } from './strategy.ts';
