// Snapshots: plain values, counted when asked for, never kept.

/** One session at one moment. All times are milliseconds since the epoch, by the pool's clock. */
export interface SessionSnapshot {
  /** Unique in the pool. */
  readonly key: string;
  /** The node that the session leads to. */
  readonly id: string;
  /** Its name for people. */
  readonly label: string | undefined;
  /** Its share of the load, for strategies that weigh. */
  readonly weight: number;
  /** `Infinity` if there is no cap. */
  readonly maxActiveStreams: number;
  /** What an open may ask for by `requiredTags`. */
  readonly tags: readonly string[];
  /** What an open may ask for by `requiredMetadata`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Streams that the pool opened here and that are not fully closed. */
  readonly activeStreams: number;
  /** Opens that the session has not settled yet. */
  readonly pendingStreams: number;
  /** The next open may pick it. */
  readonly available: boolean;
  /** Active and pending streams have reached the cap, or the peer has just refused one. */
  readonly full: boolean;
  /** It has not failed too often in a row, or has proved itself since. */
  readonly healthy: boolean;
  /** What it was ejected for as an outlier, until it has recovered. */
  readonly ejectedFor: string | undefined;
  /** Unhealthy, and either due to be probed or being probed: the next matching open may find out. */
  readonly probing: boolean;
  /** Failures that counted since the last answer of the peer. */
  readonly consecutiveFailures: number;
  /** The message of the last error that counted. */
  readonly lastError: string | undefined;
  /** When an error last counted. */
  readonly lastFailureAt: number | undefined;
  /** Until then an unhealthy session is left alone. */
  readonly nextProbeAt: number | undefined;
  /** It takes no new streams until it resumes. */
  readonly draining: boolean;
  /** What `drain()` was told, or the pool's own words. */
  readonly drainReason: string | undefined;
  /** When it began to drain. */
  readonly drainStartedAt: number | undefined;
  /** How often it was asked for a stream. */
  readonly openAttempts: number;
  /** Attempts that ended without a stream. A caller's abort and the end of the pool are no failures. */
  readonly openFailures: number;
  /** When it joined. */
  readonly addedAt: number;
  /** Round trip in milliseconds, if the session knows. */
  readonly rtt: number | undefined;
}

/** The bindings of the affinity strategy; the figures but the first count since the pool was made. */
export interface AffinityStats {
  /** Keys that are bound now. */
  readonly bindings: number;
  /** Picks that went to the session that their key is bound to. */
  readonly hits: number;
  /** Picks with a key that was not bound. */
  readonly misses: number;
  /** Picks that moved a binding, because its session was gone, draining or unhealthy. */
  readonly rebinds: number;
  /** Picks that went elsewhere and left the binding as it was. */
  readonly spills: number;
  /** Bindings that were not used for `ttl`. */
  readonly expired: number;
  /** Bindings that were the least recently used of more than `maxBindings`. */
  readonly evicted: number;
}

/** The session gauges are not exclusive: a session that drains may also be full. */
export interface PoolTotals {
  /** All sessions of the pool. */
  readonly sessionsTotal: number;
  /** The next open may pick them. */
  readonly sessionsAvailable: number;
  /** Those that take no new streams. */
  readonly sessionsDraining: number;
  /** At their cap, or refused by their peer just now. */
  readonly sessionsCapacityLimited: number;
  /** Those that have not failed too often. */
  readonly sessionsHealthy: number;
  /** Unhealthy, and due to be probed or being probed. */
  readonly sessionsProbing: number;
  /** So few sessions of the whole pool are healthy that health is ignored. */
  readonly panic: boolean;
  /** On the sessions that are in the pool. */
  readonly activeStreams: number;
  /** Opens that their session has not settled yet. */
  readonly pendingStreams: number;
  /** Opens that wait until a session can serve them. */
  readonly waitingOpens: number;
  /** Since the pool was made, sessions that have left it included. */
  readonly openAttempts: number;
  /** Of these attempts, those that ended without a stream. */
  readonly openFailures: number;
  /** Undefined unless the strategy binds keys to sessions. */
  readonly affinity: AffinityStats | undefined;
}

/** The figures, and a snapshot of each session. */
export interface PoolStats extends PoolTotals {
  /** In order of adding. */
  readonly sessions: readonly SessionSnapshot[];
}

/** What a session is counted by. */
interface Counted {
  readonly eligible: boolean;
  readonly draining: boolean;
  readonly full: boolean;
  readonly condition: { readonly healthy: boolean; readonly probing: boolean };
  readonly activeStreams: number;
  readonly pendingStreams: number;
}

/** The gauges: what is now. */
export function countSessions(
  sessions: Iterable<Counted>,
): Omit<PoolTotals, 'panic' | 'waitingOpens' | 'openAttempts' | 'openFailures' | 'affinity'> {
  const counts = {
    sessionsTotal: 0,
    sessionsAvailable: 0,
    sessionsDraining: 0,
    sessionsCapacityLimited: 0,
    sessionsHealthy: 0,
    sessionsProbing: 0,
    activeStreams: 0,
    pendingStreams: 0,
  };
  for (const session of sessions) {
    counts.sessionsTotal += 1;
    if (session.eligible) counts.sessionsAvailable += 1;
    if (session.draining) counts.sessionsDraining += 1;
    if (session.full) counts.sessionsCapacityLimited += 1;
    if (session.condition.healthy) counts.sessionsHealthy += 1;
    if (session.condition.probing) counts.sessionsProbing += 1;
    counts.activeStreams += session.activeStreams;
    counts.pendingStreams += session.pendingStreams;
  }
  return counts;
}
