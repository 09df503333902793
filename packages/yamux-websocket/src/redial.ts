// Decides whether and when to dial again, from the end of the last connection or the error of the last dial. Pure.
import type { SocketClose } from './close-codes.ts';

export interface Redial {
  /**
   * `'soon'`: a short random pause, because the gateway asked its clients to leave. `'backoff'`: a pause that grows. `'fresh'`: dial this URL
   * once more with fresh credentials, then leave it out. `'leave'`: leave this URL out. `'replaced'`: dial no URL, because another connection of
   * the same agent has replaced this one. `'stop'`: dial no URL, because every attempt would fail in the same way.
   */
  readonly how: 'soon' | 'backoff' | 'fresh' | 'leave' | 'replaced' | 'stop';
  /** The bound of the random pause is at least this share of the longest one. */
  readonly share: number;
  /** The wait that the other end asked for, in milliseconds. The random pause is added to it. */
  readonly wait: number;
}

const redial = (how: Redial['how'], share = 0, wait = 0): Redial => ({ how, share, wait });

/** Long pauses: the next attempt fails in the same way until somebody changes one of the ends. */
const RARELY: Redial = redial('backoff', 1);

/** For `giveUp: false`: a result that would stop or leave the URL out becomes a long pause. `fresh`: fresh credentials were refused too. */
export function withoutGivingUp(judged: Redial, fresh: boolean): Redial {
  const isFinal = judged.how === 'leave' || judged.how === 'replaced' || (judged.how === 'fresh' && fresh);
  return isFinal ? RARELY : judged;
}

/** The results for received close codes. Every other code: `'backoff'`. */
const AFTER_CLOSE: Readonly<Record<number, Redial>> = {
  1001: redial('soon'),
  1012: redial('soon'),
  1002: RARELY,
  1003: RARELY,
  1007: RARELY,
  1010: RARELY,
  1008: redial('fresh'),
  4401: redial('fresh'),
  4403: redial('fresh'),
  1009: redial('leave'), // our messages are too large for this gateway
  // Another connection of the same agent replaced this one. If both dialed again, they would replace each other without end.
  4409: redial('replaced'),
  1013: redial('backoff', 0.5),
};

/** GoAway(1): the peer reports that this end broke the protocol. The session ends before close code 1002 arrives. */
const GO_AWAY_PROTOCOL = 1;

/** The result for the end of a connection. `error` is the error of the session, if there was one. */
export function redialAfterClose(close: SocketClose, error?: unknown): Redial {
  if ((error as { readonly goAwayCode?: unknown } | null | undefined)?.goAwayCode === GO_AWAY_PROTOCOL) return RARELY;
  if (close.initiator === 'local') return redial('backoff');
  const after = AFTER_CLOSE[close.code] ?? redial('backoff');
  return close.code === 1013 ? { ...after, wait: seconds(close.reason.trim()) ?? 0 } : after;
}

/**
 * The statuses that depend on the request alone: only other credentials can change the answer. 404 is not among them, because an ingress sends
 * it while its backend restarts; nor are the temporary ones below.
 */
const FINAL: ReadonlySet<number> = new Set([
  400, 401, 402, 403, 405, 406, 407, 410, 411, 412, 413, 414, 415, 416, 417, 422, 424, 426, 428, 431, 451,
]);

/** The temporary statuses below 500: the pause grows as after a lost connection. */
const TEMPORARY: ReadonlySet<number> = new Set([408, 409, 421, 423, 425, 429]);

interface Refused {
  readonly code?: unknown;
  readonly status?: unknown;
  readonly headers?: { readonly 'retry-after'?: string | undefined };
}

/** The result for the error of a dial. `now` is in milliseconds since the epoch, for a Retry-After with a date. */
export function redialAfterError(error: unknown, now: number): Redial {
  // The options are invalid. Errors of the network have a code.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return redial('stop');
  const { code, status, headers } = (error ?? {}) as Refused;
  if (code === 'ERR_YAMUX_WEBSOCKET_WS_MISSING') return redial('stop');
  if (code !== 'ERR_YAMUX_WEBSOCKET_REFUSED' || typeof status !== 'number') return redial('backoff');
  if (FINAL.has(status)) return redial('fresh');
  // 404, a redirect, 200 and unknown statuses come from a proxy or another server in front of the gateway.
  const share = status >= 500 || TEMPORARY.has(status) ? 0 : 1;
  return redial('backoff', share, retryAfter(headers?.['retry-after'], now));
}

function retryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  const date = Date.parse(value);
  return seconds(value.trim()) ?? (Number.isNaN(date) ? 0 : bounded(date - now));
}

/** The longest wait that the other end may ask for. */
const LONGEST_WAIT = 3_600_000;

function bounded(ms: number): number {
  return Math.min(Math.max(0, ms), LONGEST_WAIT);
}

function seconds(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? bounded(Number(text) * 1_000) : undefined;
}
