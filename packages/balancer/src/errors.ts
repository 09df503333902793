/**
 * What a pool throws. Tell errors by `code`: two copies of a package (ESM beside CommonJS) have two sets of classes.
 */
export type PoolErrorCode =
  | 'ERR_YAMUX_POOL_NO_MATCHING_SESSION'
  | 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION'
  | 'ERR_YAMUX_POOL_INVALID_STRATEGY'
  | 'ERR_YAMUX_POOL_DUPLICATE_SESSION'
  | 'ERR_YAMUX_POOL_UNKNOWN_SESSION'
  | 'ERR_YAMUX_POOL_SESSION_CLOSED'
  | 'ERR_YAMUX_POOL_OPEN_TIMEOUT'
  | 'ERR_YAMUX_POOL_NOT_ACKNOWLEDGED'
  | 'ERR_YAMUX_POOL_DRAIN_TIMEOUT'
  | 'ERR_YAMUX_POOL_SESSION_UNHEALTHY'
  | 'ERR_YAMUX_POOL_CLOSED';

/** Everything that a pool itself throws, and ends streams with. What a session rejects an open with comes through as it is. */
export class PoolError extends Error {
  override readonly name: string = 'PoolError';
  /** What happened. */
  readonly code: PoolErrorCode;

  constructor(code: PoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** No session of the pool satisfies the routing; an empty pool satisfies none. */
export class NoMatchingSessionError extends PoolError {
  override readonly name: string = 'NoMatchingSessionError';

  constructor(message: string, code: PoolErrorCode = 'ERR_YAMUX_POOL_NO_MATCHING_SESSION') {
    super(code, message);
  }
}

/** Why the sessions that match cannot be picked. Each is counted once, under the first reason that holds. */
export interface UnavailableCounts {
  /** Ended, and not out of the pool yet. */
  readonly closed: number;
  /** Take no new streams. */
  readonly draining: number;
  /** Failed too often, and have not proved themselves since. */
  readonly unhealthy: number;
  /** At their cap, or just refused a stream. */
  readonly full: number;
}

/** The first of these that holds, in this order. A session that has left the pool is `'closed'`. */
export type Unavailability = keyof UnavailableCounts;

/**
 * Some sessions satisfy the routing, and none of them takes a stream now; or the open was to wait for one, and as many wait as may.
 */
export class NoAvailableSessionError extends NoMatchingSessionError {
  override readonly name: string = 'NoAvailableSessionError';
  /** Of the sessions that match; the message says those that are not 0. */
  readonly counts: UnavailableCounts;

  /** How many opens wait already: as many as the pool lets wait; 0 for an open that was not to wait. */
  readonly waiting: number;

  constructor(counts: UnavailableCounts, waiting = 0) {
    const reasons = Object.entries(counts).filter(([, count]) => count > 0);
    const total = reasons.reduce((sum, [, count]) => sum + count, 0);
    const text = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
    const none =
      total === 0
        ? 'No session matches'
        : `None of the ${total} matching session${total === 1 ? '' : 's'} takes a stream: ${text}`;
    const line = waiting === 0 ? '' : `; ${waiting} opens wait already`;
    super(none + line, 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION');
    this.counts = counts;
    this.waiting = waiting;
  }
}

/** A strategy that is none, is in use elsewhere, or did not return the index of a candidate; `cause` is what it threw. */
export class InvalidStrategyError extends PoolError {
  override readonly name: string = 'InvalidStrategyError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_YAMUX_POOL_INVALID_STRATEGY', message, options);
  }
}

/** The session, or a session with this key, is in the pool already. */
export class DuplicateSessionError extends PoolError {
  override readonly name: string = 'DuplicateSessionError';
  /** The key that is taken, or under which the session is in the pool. */
  readonly key: string;

  constructor(key: string, message: string) {
    super('ERR_YAMUX_POOL_DUPLICATE_SESSION', message);
    this.key = key;
  }
}

/** The pool was closed or destroyed; `cause` is the error that `destroy()` was given. */
export class PoolClosedError extends PoolError {
  override readonly name: string = 'PoolClosedError';

  constructor(message = 'The pool is closed', options?: ErrorOptions) {
    super('ERR_YAMUX_POOL_CLOSED', message, options);
  }
}

/** `open()` took longer than its `timeout`, or its last attempt longer than `attemptTimeout`. */
export class OpenTimeoutError extends PoolError {
  override readonly name: string = 'OpenTimeoutError';

  constructor(timeout: number, what = 'No stream was opened') {
    super('ERR_YAMUX_POOL_OPEN_TIMEOUT', `${what} within ${timeout} ms`);
  }
}
