// The options of keepConnected(): names, descriptions and checks.
import type { Clock, YamuxSession } from '@zishuo/yamux';
import { checkBoolean, checkFunction, checkOptionalFunction, checkOptions, checkSignal, quoted } from './arguments.ts';
import type { BackoffOptions } from './backoff.ts';
import { checkDialOptions, type DialOptions } from './dial.ts';

/** The argument of `dial` when it is a function. */
export interface DialAttempt {
  /** Aborts when the attempt is no longer wanted. */
  readonly signal: AbortSignal;
  /** What is dialed. */
  readonly url: string;
  /**
   * Get new credentials: the last attempt was refused, or the last attempt at this URL. If the new ones are refused too, this URL is left out.
   */
  readonly fresh: boolean;
}

/** The argument of `onRetry`. */
export interface RetryEvent {
  /** The URL of the next dial. */
  readonly url: string;
  /** The pause before the next dial, in milliseconds. */
  readonly delay: number;
  /** The error of the last dial or session; undefined after a clean end or a GoAway. */
  readonly error: unknown;
}

/** Options of `dial()` without `signal`: give that to `keepConnected()`. */
export type KeptDialOptions = Omit<DialOptions, 'signal'>;

/** All times in milliseconds. */
export interface KeepConnectedOptions {
  /**
   * `ws:` or `wss:` URLs, dialed in turn: after each end and each failure, the next one. A URL that refuses permanently is left out until a
   * session at another URL has lasted for `backoff.resetAfter`.
   */
  readonly urls: string | URL | readonly (string | URL)[];
  /** Options of every dial, or a function that returns those of the next one. It is called for each dial, for tokens that expire. */
  readonly dial?:
    | KeptDialOptions
    | ((attempt: DialAttempt) => KeptDialOptions | PromiseLike<KeptDialOptions>)
    | undefined;
  /**
   * Called with every session, before anything is read from it, and before the session that it replaces closes. An error that it throws is an
   * uncaught exception, as in any event listener, and destroys the session.
   */
  readonly onSession: (session: YamuxSession, url: string) => unknown;
  /** Called before every pause, for logs. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
  /**
   * Whether to stop when every URL has refused permanently, or when another connection has replaced this one (4409). With `false` it continues
   * to dial, with random pauses up to `backoff.cap`, and stops only for an invalid option.
   * @defaultValue true
   */
  readonly giveUp?: boolean | undefined;
  /** The lengths of the pauses. */
  readonly backoff?: BackoffOptions | undefined;
  /** Aborting it calls `stop()`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * `stop()` destroys the sessions that are still open after this time.
   * @defaultValue 30000
   */
  readonly stopTimeout?: number | undefined;
  /**
   * For tests. The timers of the default clock keep the process alive: between two sessions nothing else does.
   * @defaultValue the system's
   */
  readonly clock?: Clock | undefined;
  /**
   * The random source of the pauses: at least 0 and below 1.
   * @defaultValue Math.random
   */
  readonly random?: (() => number) | undefined;
}

const KEEP_CONNECTED_OPTIONS = Object.keys({
  urls: true,
  dial: true,
  onSession: true,
  onRetry: true,
  giveUp: true,
  backoff: true,
  signal: true,
  stopTimeout: true,
  clock: true,
  random: true,
} satisfies Record<keyof KeepConnectedOptions, true>);

/** @throws {TypeError} */
export function checkKeepConnectedOptions(options: KeepConnectedOptions | undefined): void {
  if (options === undefined) throw new TypeError('Expected the options of keepConnected(): urls and onSession');
  checkOptions('keepConnected()', options, KEEP_CONNECTED_OPTIONS);
  const { dial: asked, onSession, onRetry, signal, random } = options;
  checkFunction('onSession', onSession);
  checkOptionalFunction('onRetry', onRetry);
  checkOptionalFunction('random', random);
  checkBoolean('giveUp', options.giveUp);
  checkSignal('signal', signal);
  if (typeof asked !== 'function') checkKeptDialOptions(asked);
}

/** Refuses a `signal` in the options of `dial`: it would be ignored. */
export function checkKeptDialOptions(options: DialOptions | undefined, own?: AbortSignal): void {
  checkDialOptions('dial', options);
  if (options?.signal !== undefined && options.signal !== own) {
    throw new TypeError('Expected dial without a signal, got one: pass it to keepConnected(), beside dial');
  }
}

export function checkUrls(urls: KeepConnectedOptions['urls']): readonly string[] {
  const list = Array.isArray(urls) ? (urls as readonly (string | URL)[]) : [urls as string | URL];
  if (list.length === 0) throw new TypeError('Expected at least one URL in urls, got none');
  return list.map((url) => {
    const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
    if (parsed === undefined || !/^(ws|http)s?:$/.test(parsed.protocol)) {
      throw new TypeError(`Expected urls to be ws: or wss: URLs, got ${url instanceof URL ? url.href : quoted(url)}`);
    }
    return parsed.href;
  });
}
