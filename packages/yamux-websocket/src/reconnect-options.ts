// The options of keepConnected(): names, meaning and checks.
import type { Clock, YamuxSession } from '@zishuo/yamux';
import { checkBoolean, checkFunction, checkOptionalFunction, checkOptions, checkSignal, quoted } from './arguments.ts';
import type { BackoffOptions } from './backoff.ts';
import { checkDialOptions, type DialOptions } from './dial.ts';

/** What one attempt is given. */
export interface DialAttempt {
  /** Aborts when the session is not wanted any more. */
  readonly signal: AbortSignal;
  /** What is dialed. */
  readonly url: string;
  /**
   * The attempt before was refused, or the last one at this URL: get new credentials. If they are refused too, this URL is left out.
   */
  readonly fresh: boolean;
}

/** What `onRetry` is told. */
export interface RetryEvent {
  /** Where it goes next. */
  readonly url: string;
  /** Milliseconds until then. */
  readonly delay: number;
  /** Why: what the dial rejected with, what the session ended with, or undefined after a clean end or a GoAway. */
  readonly error: unknown;
}

/** Options of `dial()`, but for its signal: every dial ends with the Reconnector. */
export type KeptDialOptions = Omit<DialOptions, 'signal'>;

/** Times in milliseconds. */
export interface KeepConnectedOptions {
  /**
   * `ws:` or `wss:` URLs, dialed in turn: after each end and each failure the next one. A URL that refuses for good is left out as long as
   * there is another, and until a session has lived for `backoff.resetAfter`.
   */
  readonly urls: string | URL | readonly (string | URL)[];
  /** Options of every dial, or what gives those of the next one: asked anew each time, for tokens that expire. */
  readonly dial?:
    | KeptDialOptions
    | ((attempt: DialAttempt) => KeptDialOptions | PromiseLike<KeptDialOptions>)
    | undefined;
  /**
   * Called with every session, before anything is read from it, and before the one that it replaces closes. What it throws is uncaught, as
   * from any listener, and the session is destroyed.
   */
  readonly onSession: (session: YamuxSession, url: string) => unknown;
  /** Called before every pause, for logs. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
  /**
   * Whether it ends when every URL has refused for good, or another connection took its place (4409). `false` dials on, rarely: each pause is
   * random up to `backoff.cap`. Only a bad option ends it then.
   * @defaultValue true
   */
  readonly giveUp?: boolean | undefined;
  /** How long the pauses are. */
  readonly backoff?: BackoffOptions | undefined;
  /** Stops it, as `stop()` does. */
  readonly signal?: AbortSignal | undefined;
  /**
   * For `stop()`: what is open after that is cut.
   * @defaultValue 30000
   */
  readonly stopTimeout?: number | undefined;
  /**
   * For tests. Its timers must keep the process alive: an agent between two gateways has nothing else that does.
   * @defaultValue the system's
   */
  readonly clock?: Clock | undefined;
  /**
   * For the pauses, at least 0 and below 1.
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

/** A signal of its own would be ignored. */
export function checkKeptDialOptions(options: DialOptions | undefined, own?: AbortSignal): void {
  checkDialOptions('dial', options);
  if (options?.signal !== undefined && options.signal !== own) {
    throw new TypeError('Expected dial without a signal, got one: give it to keepConnected(), beside dial');
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
