// keepConnected(): one session to one of some gateways, for as long as it is wanted. When a gateway says that it will go, the next session
// is dialled at once, and the old one serves what runs on it to its end.
import type { Clock, YamuxSession } from '@zishuo/yamux';
import { callApplication } from './application-callback.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import { type DialOptions, dial } from './dial.ts';
import { checkNumber, MAX_DELAY } from './options.ts';
import { type Redial, redialAfterClose, redialAfterError } from './redial.ts';
import { socketClosed } from './session.ts';

/** What one attempt is given. */
export interface DialAttempt {
  /** Aborts when the session is not wanted any more. */
  readonly signal: AbortSignal;
  /** The credentials of the attempt before were refused: get new ones. If these are refused too, that was the last attempt. */
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

/** Times in milliseconds. */
export interface KeepConnectedOptions {
  /** `ws:` or `wss:` URLs, taken in turn: after each end and each failure the next one. */
  readonly urls: string | URL | readonly (string | URL)[];
  /** Options of every dial, or what gives those of the next one: asked anew each time, for tokens that expire. */
  readonly dial?: DialOptions | ((attempt: DialAttempt) => DialOptions | PromiseLike<DialOptions>) | undefined;
  /**
   * Called with every session, before anything is read from it, and before the one that it replaces closes. What it throws is uncaught, as
   * from any listener, and the session is destroyed.
   */
  readonly onSession: (session: YamuxSession, url: string) => unknown;
  /** Called before every pause, for logs. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
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

/** What `keepConnected()` returns. */
export interface Reconnector {
  /** The newest session; undefined while there is none, and after the peer of the newest has said that it goes. */
  readonly session: YamuxSession | undefined;
  /**
   * Resolves when it is over and every session has ended: with undefined after `stop()`, else with the error for which it gave up: refused
   * credentials, a refusal that will be the same next time, another connection in its place. Never rejects.
   */
  readonly stopped: Promise<unknown>;
  /** Takes no new streams, lets those that run end, for at most `timeout` (default: `stopTimeout`), and closes. Resolves as `stopped` does. */
  stop(options?: { readonly timeout?: number | undefined }): Promise<unknown>;
}

/**
 * Keeps one session: dials, hands it to `onSession`, and dials again when it ends, with a pause that grows from failure to
 * failure. Close code 1013 and Retry-After are honoured; 1008, 4401, 4403 and HTTP 401, 403 stop it after one attempt with fresh
 * credentials, 1009, 4409 and other 4xx at once.
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export function keepConnected(options: KeepConnectedOptions): Reconnector {
  return new Keeper(options);
}

/** Unlike the other clocks of these packages this one's timers hold the process. */
const keepingClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

class Keeper implements Reconnector {
  readonly stopped: Promise<unknown>;
  readonly #urls: readonly string[];
  readonly #options: KeepConnectedOptions;
  readonly #stopTimeout: number;
  readonly #backoff: Backoff;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  /** More than one only while a gateway that will go serves what runs. */
  readonly #sessions = new Map<YamuxSession, Promise<void>>();
  #session: YamuxSession | undefined;
  #next = 0;

  constructor(options: KeepConnectedOptions) {
    const { urls, onSession, signal, stopTimeout = 30_000, clock = keepingClock, random = Math.random } = options;
    this.#urls = checkUrls(urls);
    if (typeof onSession !== 'function') {
      throw new TypeError(`Expected onSession to be a function, got ${typeof onSession}`);
    }
    this.#options = options;
    this.#stopTimeout = checkNumber('stopTimeout', stopTimeout, 0, MAX_DELAY);
    this.#backoff = new Backoff(options.backoff ?? {}, random);
    this.#clock = clock;
    const onAbort = (): void => void this.stop();
    if (signal?.aborted === true) this.#stop.abort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.stopped = this.#run().finally(() => signal?.removeEventListener('abort', onAbort));
  }

  get session(): YamuxSession | undefined {
    return this.#session;
  }

  stop({ timeout = this.#stopTimeout }: { readonly timeout?: number | undefined } = {}): Promise<unknown> {
    checkNumber('timeout', timeout, 0, MAX_DELAY);
    if (!this.#stop.signal.aborted) {
      this.#stop.abort();
      for (const session of this.#sessions.keys()) void this.#drain(session, timeout);
    }
    return this.stopped;
  }

  async #run(): Promise<unknown> {
    const isStopped = (): boolean => this.#stop.signal.aborted;
    let fresh = false;
    let outcome: unknown;
    while (!isStopped()) {
      const { redial, error, lived } = await this.#once(fresh);
      if (isStopped()) break;
      if (lived) {
        this.#backoff.reset();
        fresh = false;
      }
      if (redial.how === 'stop' || (redial.how === 'fresh' && fresh)) {
        outcome = error;
        break;
      }
      fresh = redial.how === 'fresh';
      await this.#pause(redial, error, lived);
    }
    await Promise.all(this.#sessions.values());
    return outcome;
  }

  /** One attempt, and the life of the session that came of it, until it cannot be counted on any more. */
  async #once(fresh: boolean): Promise<{ redial: Redial; error: unknown; lived: boolean }> {
    const { signal } = this.#stop;
    const url = this.#url();
    this.#next += 1;
    const { dial: asked } = this.#options;
    let options: DialOptions | undefined;
    try {
      options = typeof asked === 'function' ? await asked({ signal, fresh }) : asked;
    } catch (error) {
      return { redial: LATER, error, lived: false }; // whoever gives out tokens may be back later
    }
    let session: YamuxSession;
    try {
      session = await dial(url, { ...options, signal });
    } catch (error) {
      return { redial: redialAfterError(error, Date.now()), error, lived: false };
    }
    const since = this.#clock.now();
    const over = this.#watch(session);
    this.#hand(session, url);
    const redial = await over;
    this.#session = undefined;
    const lived = this.#clock.now() - since >= this.#backoff.resetAfter;
    return { redial, error: session.errored ?? undefined, lived };
  }

  /** Resolves when the session has ended, or its peer has said that it goes. */
  #watch(session: YamuxSession): Promise<Redial> {
    this.#session = session;
    const closed = new Promise<void>((resolve) => session.once('close', resolve));
    this.#sessions.set(session, closed);
    return new Promise((resolve) => {
      session.on('error', () => {}); // told by onRetry
      session.once('goAway', (code) => {
        if (code === 0) resolve({ how: 'soon', share: 0, wait: 0 });
      });
      void closed.then(async () => {
        this.#sessions.delete(session);
        resolve(redialAfterClose(await socketClosed(session), session.errored));
      });
    });
  }

  #hand(session: YamuxSession, url: string): void {
    if (this.#stop.signal.aborted) {
      session.destroy(); // stopped in the very moment in which it was opened
      return;
    }
    callApplication(
      () => this.#options.onSession(session, url),
      () => session.destroy(),
    );
  }

  #pause({ how, share, wait }: Redial, error: unknown, lived: boolean): Promise<void> {
    const backoff = this.#backoff;
    // A gateway that sends everybody away again and again is not asked at full speed either.
    const soon = how === 'soon' ? backoff.soon() : 0;
    const delay = Math.round(wait + soon + (how === 'soon' && lived ? 0 : backoff.next(share)));
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const done = (): void => {
        this.#clock.clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#clock.setTimeout(done, delay);
      signal.addEventListener('abort', done, { once: true });
      const { onRetry } = this.#options;
      if (onRetry !== undefined) callApplication(() => onRetry({ url: this.#url(), delay, error }));
    });
  }

  /** The peer opens no more; what it opened until it knew is still served. */
  async #drain(session: YamuxSession, timeout: number): Promise<void> {
    const deadline = this.#clock.setTimeout(() => session.destroy(), timeout);
    await session.goAway();
    await session.close().catch(() => {}); // its end is told by 'close'
    this.#clock.clearTimeout(deadline);
  }

  #url(): string {
    return this.#urls[this.#next % this.#urls.length] as string;
  }
}

const LATER: Redial = { how: 'backoff', share: 0, wait: 0 };

function checkUrls(urls: KeepConnectedOptions['urls']): readonly string[] {
  const list = Array.isArray(urls) ? (urls as readonly (string | URL)[]) : [urls as string | URL];
  if (list.length === 0) throw new TypeError('Expected at least one URL in urls, got none');
  return list.map((url) => {
    const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
    if (parsed === undefined || !/^(ws|http)s?:$/.test(parsed.protocol)) {
      throw new TypeError(`Expected urls to be ws: or wss: URLs, got ${JSON.stringify(String(url))}`);
    }
    return parsed.href;
  });
}
