// Whether and how soon to dial again, judged by how the last connection ended or why the last dial failed. Pure.
import type { SocketClose } from './close-codes.ts';

export interface Redial {
  /**
   * `'soon'`: the gateway asked us to leave; a short random pause. `'backoff'`: a pause that grows. `'fresh'`: this URL once more with fresh
   * credentials, then no more. `'leave'`: this URL no more. `'replaced'`: no URL any more, another connection of the same agent is there.
   * `'stop'`: no URL any more, the next attempt would end the same way everywhere.
   */
  readonly how: 'soon' | 'backoff' | 'fresh' | 'leave' | 'replaced' | 'stop';
  /** The pause's upper bound is at least this share of the longest one. */
  readonly share: number;
  /** Milliseconds that the other end asked for; the random pause comes on top. */
  readonly wait: number;
}

const redial = (how: Redial['how'], share = 0, wait = 0): Redial => ({ how, share, wait });

/** The same happens again until somebody changes something at one of the ends: dial rarely. */
const RARELY: Redial = redial('backoff', 1);

/** For who never gives up: what would end it, or leave its URL out, makes it dial rarely. `fresh`: with fresh credentials it was refused, too. */
export function notForGood(judged: Redial, fresh: boolean): Redial {
  const isFinal = judged.how === 'leave' || judged.how === 'replaced' || (judged.how === 'fresh' && fresh);
  return isFinal ? RARELY : judged;
}

/** By the close code that arrived. */
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
  // Another connection of the same agent took over: two agents would replace each other for ever, at any URL.
  4409: redial('replaced'),
  1013: redial('backoff', 0.5),
};

/** GoAway(1): the peer found a protocol violation of ours. It ends the session before the close code 1002 arrives. */
const GO_AWAY_PROTOCOL = 1;

/** `error`: of the session, if it ended with one. */
export function redialAfterClose(close: SocketClose, error?: unknown): Redial {
  if ((error as { readonly goAwayCode?: unknown } | null | undefined)?.goAwayCode === GO_AWAY_PROTOCOL) return RARELY;
  if (close.initiator === 'local') return redial('backoff');
  const after = AFTER_CLOSE[close.code] ?? redial('backoff');
  return close.code === 1013 ? { ...after, wait: seconds(close.reason.trim()) ?? 0 } : after;
}

/**
 * What a server answers because of the request, which is the same next time but for its credentials. Not among them: 404, which an ingress
 * answers while its backend restarts, and what tells of a moment (408, 409, 421, 423, 425, 429).
 */
const FINAL: ReadonlySet<number> = new Set([
  400, 401, 402, 403, 405, 406, 407, 410, 411, 412, 413, 414, 415, 416, 417, 422, 424, 426, 428, 431, 451,
]);

/** What tells of a moment: the pause grows as after a lost connection. */
const MOMENTARY: ReadonlySet<number> = new Set([408, 409, 421, 423, 425, 429]);

interface Refused {
  readonly code?: unknown;
  readonly status?: unknown;
  readonly headers?: { readonly 'retry-after'?: string | undefined };
}

/** By what a dial rejected with. `now` in milliseconds since the epoch, for a Retry-After that is a date. */
export function redialAfterError(error: unknown, now: number): Redial {
  // A bad option of ours. What fails in the network has a code.
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return redial('stop');
  const { code, status, headers } = (error ?? {}) as Refused;
  if (code === 'ERR_YAMUX_WEBSOCKET_WS_MISSING') return redial('stop');
  if (code !== 'ERR_YAMUX_WEBSOCKET_REFUSED' || typeof status !== 'number') return redial('backoff');
  if (FINAL.has(status)) return redial('fresh');
  // 404, a redirect to a page of its own, 200 or an unknown status come from something in front of the gateway.
  const share = status >= 500 || MOMENTARY.has(status) ? 0 : 1;
  return redial('backoff', share, retryAfter(headers?.['retry-after'], now));
}

function retryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  const date = Date.parse(value);
  return seconds(value.trim()) ?? (Number.isNaN(date) ? 0 : bounded(date - now));
}

/** No answer makes us wait for longer than an hour. */
const LONGEST_WAIT = 3_600_000;

function bounded(ms: number): number {
  return Math.min(Math.max(0, ms), LONGEST_WAIT);
}

function seconds(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? bounded(Number(text) * 1_000) : undefined;
}
