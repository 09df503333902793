// How long one caller waits for one open: its signal, its timeout, and the timeout of each attempt. Made only when one of them was given; what
// the session is doing meanwhile is the attempt's matter.
import type { Clock } from '../clock.ts';
import { OpenTimeoutError } from '../errors.ts';
import { offAbort, onAbort } from './abort-listeners.ts';
import type { AttemptSignal, AttemptSignals } from './attempt-signals.ts';

interface Reached {
  readonly by: 'abort' | 'timeout';
  readonly error: unknown;
}

/** What is given up when the limit is reached: an attempt, or a place in the line. */
interface Abandonable {
  abandon(error: unknown): void;
}

export interface Limits {
  readonly signal: AbortSignal | undefined;
  readonly timeout: number | undefined;
  readonly attemptTimeout: number | undefined;
}

export class OpenLimit {
  readonly #clock: Clock;
  readonly #caller: AbortSignal | undefined;
  readonly #attemptTimeout: number | undefined;
  readonly #timer: unknown;
  #attemptTimer: unknown;
  readonly #signals: AttemptSignals;
  /** Of the attempt that is under way. */
  #signal: AttemptSignal | undefined;
  #watched: Abandonable | undefined;
  #reached: Reached | undefined;

  constructor(clock: Clock, signals: AttemptSignals, { signal, timeout, attemptTimeout }: Limits) {
    this.#clock = clock;
    this.#signals = signals;
    this.#caller = signal;
    this.#attemptTimeout = attemptTimeout;
    if (signal !== undefined) onAbort(signal, this.#onAbort);
    if (timeout !== undefined) {
      this.#timer = clock.setTimeout(() => this.#reach('timeout', new OpenTimeoutError(timeout)), timeout);
    }
  }

  /** How the limit was reached, once it was. */
  get reached(): Reached | undefined {
    return this.#reached;
  }

  /** For the session that is asked next, so that it stops too: no other attempt under way has the same. */
  nextSignal(): AttemptSignal {
    this.#signal = this.#signals.take();
    return this.#signal;
  }

  /** The attempt that is given up when its own time is over, or the whole open's. */
  watchAttempt(attempt: Abandonable): void {
    const timeout = this.#attemptTimeout;
    const signal = this.#signal;
    this.#clearAttemptTimer();
    if (timeout !== undefined) {
      this.#attemptTimer = this.#clock.setTimeout(() => {
        const error = new OpenTimeoutError(timeout, 'The session opened no stream');
        attempt.abandon(error);
        signal?.abort(error);
      }, timeout);
    }
    this.watch(attempt);
  }

  watch(watched: Abandonable): void {
    this.#watched = watched;
    // A strategy or a session may have aborted while the attempt was being made.
    if (this.#reached !== undefined) this.#giveUp(this.#reached.error);
  }

  /** The open is over: timers and listener come off. */
  lift(): void {
    if (this.#caller !== undefined) offAbort(this.#caller, this.#onAbort);
    this.#clearAttemptTimer();
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
  }

  #clearAttemptTimer(): void {
    if (this.#attemptTimer !== undefined) this.#clock.clearTimeout(this.#attemptTimer);
    this.#attemptTimer = undefined;
  }

  #reach(by: 'abort' | 'timeout', error: unknown): void {
    if (this.#reached !== undefined) return;
    this.#reached = { by, error };
    this.#giveUp(error);
  }

  #giveUp(error: unknown): void {
    this.#watched?.abandon(error);
    this.#signal?.abort(error);
  }

  /** `AbortSignal.timeout()` is how Node's users give a timeout: weighed as ours is. */
  readonly #onAbort = (): void => {
    const reason: unknown = this.#caller?.reason;
    const isTimeout = (reason as { readonly name?: unknown } | null | undefined)?.name === 'TimeoutError';
    this.#reach(isTimeout ? 'timeout' : 'abort', reason);
  };
}
