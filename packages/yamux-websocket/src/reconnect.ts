// keepConnected(): keeps one session to one of several gateways until it is stopped. When a gateway sends GoAway, the next session is dialed
// at once, and the old one serves its streams until they end.
import type { Clock, YamuxSession } from '@zishuo/yamux';
import { callApplication } from './application-callback.ts';
import { checkMilliseconds, checkOptions } from './arguments.ts';
import { Backoff } from './backoff.ts';
import { dial } from './dial.ts';
import {
  checkKeepConnectedOptions,
  checkKeptDialOptions,
  checkUrls,
  type KeepConnectedOptions,
  type KeptDialOptions,
} from './reconnect-options.ts';
import { type Redial, redialAfterClose, redialAfterError, withoutGivingUp } from './redial.ts';
import { socketClosed } from './session.ts';
import { type Turn, UrlRotation } from './url-rotation.ts';

/** The result of `keepConnected()`. */
export interface Reconnector {
  /** The newest session; undefined while there is none, and after the newest one has received a GoAway. */
  readonly session: YamuxSession | undefined;
  /**
   * Resolves when the reconnector has stopped and every session has ended: with undefined after `stop()`, else with the error for which it gave
   * up. That is the last refusal when all URLs refused permanently, a replacement by another connection (4409), or an invalid option. Never
   * rejects.
   */
  readonly stopped: Promise<unknown>;
  /** Takes no new streams, waits at most `timeout` (default: `stopTimeout`) for open streams to end, and closes. Resolves as `stopped` does. */
  stop(options?: { readonly timeout?: number | undefined }): Promise<unknown>;
}

/**
 * Keeps one session: dials, calls `onSession`, and dials again when the session ends, with a pause that grows with each failure. It obeys close
 * code 1013 and Retry-After. After 1008, 4401, 4403 and an HTTP status that does not change by itself (400, 401, 403, 410, …), it dials the URL
 * once more, with `fresh`, and then leaves it out; after 1009 it leaves it out at once. It dials again after every 3xx and 5xx, 404, 429 and
 * every unknown status. It gives up when no URL is left, and after 4409, unless `giveUp` is false.
 *
 * @throws {TypeError | RangeError} for an invalid option.
 */
export function keepConnected(options: KeepConnectedOptions): Reconnector {
  return new Keeper(options);
}

/** The timers of this clock keep the process alive, unlike those of `systemClock`. */
const keepingClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

class Keeper implements Reconnector {
  readonly stopped: Promise<unknown>;
  readonly #urls: UrlRotation;
  readonly #options: KeepConnectedOptions;
  readonly #givesUp: boolean;
  readonly #stopTimeout: number;
  readonly #backoff: Backoff;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  /** There is more than one only while a session that received a GoAway serves its last streams. */
  readonly #sessions = new Map<YamuxSession, Promise<void>>();
  #session: YamuxSession | undefined;

  constructor(options: KeepConnectedOptions) {
    checkKeepConnectedOptions(options);
    const { urls, signal, giveUp = true, stopTimeout = 30_000, clock = keepingClock, random = Math.random } = options;
    this.#urls = new UrlRotation(checkUrls(urls));
    this.#options = options;
    this.#givesUp = giveUp;
    this.#stopTimeout = checkMilliseconds('stopTimeout', stopTimeout);
    this.#backoff = new Backoff(options.backoff, random);
    this.#clock = clock;
    const onAbort = (): void => void this.stop();
    if (signal?.aborted === true) this.#stop.abort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.stopped = this.#run().finally(() => signal?.removeEventListener('abort', onAbort));
  }

  get session(): YamuxSession | undefined {
    return this.#session;
  }

  stop(options: { readonly timeout?: number | undefined } = {}): Promise<unknown> {
    checkOptions('stop()', options, ['timeout']);
    const timeout = checkMilliseconds('timeout', options.timeout ?? this.#stopTimeout);
    if (!this.#stop.signal.aborted) {
      this.#stop.abort();
      for (const session of this.#sessions.keys()) void this.#drain(session, timeout);
    }
    return this.stopped;
  }

  async #run(): Promise<unknown> {
    const isStopped = (): boolean => this.#stop.signal.aborted;
    let outcome: unknown;
    for (let turn = this.#urls.take(); turn !== undefined && !isStopped(); turn = this.#urls.take()) {
      const { redial: judged, error, lived } = await this.#once(turn);
      if (isStopped()) break;
      const redial = this.#givesUp ? judged : withoutGivingUp(judged, turn.fresh && !lived);
      if (lived) {
        this.#backoff.reset();
        this.#urls.readmitAll();
      }
      if (redial.how === 'fresh') this.#urls.refused(turn.url, turn.fresh && !lived);
      if (redial.how === 'leave') this.#urls.leaveOut(turn.url);
      const next = this.#urls.upcoming;
      if (redial.how === 'stop' || redial.how === 'replaced' || next === undefined) {
        outcome = error;
        break;
      }
      await this.#pause(redial, error, lived, next);
    }
    await Promise.all(this.#sessions.values());
    return outcome;
  }

  /** Makes one attempt, and waits until its session ends or receives a GoAway. */
  async #once({ url, fresh }: Turn): Promise<{ redial: Redial; error: unknown; lived: boolean }> {
    const { signal } = this.#stop;
    let options: KeptDialOptions | undefined;
    try {
      options = await this.#dialOptions({ url, fresh });
    } catch (error) {
      return { redial: LATER, error, lived: false }; // the source of the credentials may work later
    }
    let session: YamuxSession;
    try {
      checkKeptDialOptions(options, signal);
      session = await dial(url, { ...options, signal });
    } catch (error) {
      return { redial: redialAfterError(error, Date.now()), error, lived: false };
    }
    const since = this.#clock.now();
    const over = this.#watch(session);
    this.#handOver(session, url);
    const redial = await over;
    this.#session = undefined;
    const lived = this.#clock.now() - since >= this.#backoff.resetAfter;
    return { redial, error: session.errored ?? undefined, lived };
  }

  /** Rejects when the reconnector is stopped, even if the application has not answered. */
  #dialOptions({ url, fresh }: Turn): Promise<KeptDialOptions | undefined> {
    const { dial: asked } = this.#options;
    if (typeof asked !== 'function') return Promise.resolve(asked);
    const { signal } = this.#stop;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      const answer = Promise.resolve().then(() => asked({ signal, url, fresh }));
      answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  /** Resolves when the session has ended or received a GoAway. */
  #watch(session: YamuxSession): Promise<Redial> {
    this.#session = session;
    const closed = new Promise<void>((resolve) => session.once('close', resolve));
    this.#sessions.set(session, closed);
    return new Promise((resolve) => {
      session.on('error', () => {}); // onRetry gets it
      session.once('goAway', (code) => {
        if (code === 0) resolve({ how: 'soon', share: 0, wait: 0 });
      });
      void closed.then(async () => {
        this.#sessions.delete(session);
        resolve(redialAfterClose(await socketClosed(session), session.errored));
      });
    });
  }

  #handOver(session: YamuxSession, url: string): void {
    if (this.#stop.signal.aborted) {
      session.destroy(); // stopped while it was opening
      return;
    }
    callApplication(
      () => this.#options.onSession(session, url),
      () => session.destroy(),
    );
  }

  #pause({ how, share, wait }: Redial, error: unknown, lived: boolean, url: string): Promise<void> {
    const backoff = this.#backoff;
    // If a gateway sends a GoAway soon after each dial, the pause grows too.
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
      if (onRetry !== undefined) callApplication(() => onRetry({ url, delay, error }));
    });
  }

  /** The peer opens no more streams; those that it opened before it received the GoAway are still served. */
  async #drain(session: YamuxSession, timeout: number): Promise<void> {
    const deadline = this.#clock.setTimeout(() => session.destroy(), timeout);
    await session.goAway();
    await session.close().catch(() => {}); // 'close' reports the end
    this.#clock.clearTimeout(deadline);
  }
}

const LATER: Redial = { how: 'backoff', share: 0, wait: 0 };
