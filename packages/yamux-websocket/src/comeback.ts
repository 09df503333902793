// Whether, and how soon, to dial again: by how the last connection ended, or why there was none. Pure.
import type { SocketClose } from './close-codes.ts';

export interface Comeback {
  /**
   * `'soon'`: it was sent away, not lost; a short random pause. `'backoff'`: a pause that grows. `'fresh'`: once more with fresh
   * credentials, then no more. `'stop'`: the next attempt would end the same way.
   */
  readonly how: 'soon' | 'backoff' | 'fresh' | 'stop';
  /** The pause's upper bound is at least this share of the longest one. */
  readonly share: number;
  /** Milliseconds that the other end asked for; the random pause comes on top. */
  readonly wait: number;
}

const comeback = (how: Comeback['how'], share = 0, wait = 0): Comeback => ({ how, share, wait });

/** Nothing changes by itself in what two ends disagree about: come back rarely. */
const RARELY: Comeback = comeback('backoff', 1);

/** By the close code that arrived. */
const AFTER_CLOSE: Readonly<Record<number, Comeback>> = {
  1001: comeback('soon'),
  1012: comeback('soon'),
  1002: RARELY,
  1003: RARELY,
  1007: RARELY,
  1010: RARELY,
  1008: comeback('fresh'),
  4401: comeback('fresh'),
  4403: comeback('fresh'),
  1009: comeback('stop'),
  // Another connection of the same agent took over: two that fight would replace each other for ever.
  4409: comeback('stop'),
  1013: comeback('backoff', 0.5),
};

/** GoAway(1): the peer found that we broke the protocol. The session is over with it, before the close code 1002 that follows it. */
const GO_AWAY_PROTOCOL = 1;

/** `error`: of the session, if it ended with one. */
export function comebackAfterClose(close: SocketClose, error?: unknown): Comeback {
  if ((error as { readonly goAwayCode?: unknown } | null | undefined)?.goAwayCode === GO_AWAY_PROTOCOL) return RARELY;
  if (close.initiator === 'local') return comeback('backoff');
  const after = AFTER_CLOSE[close.code] ?? comeback('backoff');
  return close.code === 1013 ? { ...after, wait: seconds(close.reason.trim()) ?? 0 } : after;
}

/** Statuses of a refused upgrade that may be another one next time. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

interface Refused {
  readonly code?: unknown;
  readonly status?: unknown;
  readonly headers?: { readonly 'retry-after'?: string | undefined };
}

/** By what a dial rejected with. `now` in milliseconds since the epoch, for a Retry-After that is a date. */
export function comebackAfterError(error: unknown, now: number): Comeback {
  // A bad option; what the network does wrong has a code.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError)
    return comeback('stop');
  const { code, status, headers } = (error ?? {}) as Refused;
  if (code === 'ERR_YAMUX_WEBSOCKET_WS_MISSING') return comeback('stop');
  if (code !== 'ERR_YAMUX_WEBSOCKET_REFUSED' || typeof status !== 'number') return comeback('backoff');
  if (status === 401 || status === 403) return comeback('fresh');
  if (!RETRYABLE.has(status)) return comeback('stop');
  return comeback('backoff', 0, retryAfter(headers?.['retry-after'], now));
}

function retryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  const date = Date.parse(value);
  return seconds(value.trim()) ?? (Number.isNaN(date) ? 0 : bounded(date - now));
}

/** Nobody is sent away for longer than an hour. */
const LONGEST_WAIT = 3_600_000;

function bounded(ms: number): number {
  return Math.min(Math.max(0, ms), LONGEST_WAIT);
}

function seconds(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? bounded(Number(text) * 1_000) : undefined;
}
