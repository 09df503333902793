// How long one caller waits for one open: its signal and its timeout. Made only when either was given; what the session is
// doing meanwhile is the attempt's matter.

import type { Clock } from '../clock.ts';
import { OpenTimeoutError } from '../errors.ts';
import type { Attempt } from './attempt.ts';

interface Reached {
  readonly by: 'abort' | 'timeout';
  readonly error: unknown;
}

export class OpenLimit {
  /** For the session, so that it stops too. */
  readonly signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #caller: AbortSignal | undefined;
  readonly #controller: AbortController | undefined;
  readonly #timer: unknown;
  #attempt: Attempt | undefined;
  #reached: Reached | undefined;

  constructor(clock: Clock, caller: AbortSignal | undefined, timeout: number | undefined) {
    this.#clock = clock;
    this.#caller = caller;
    // An AbortController costs 6 µs: only a timeout needs one of ours, a caller's signal goes to the session as it is.
    this.#controller = timeout === undefined ? undefined : new AbortController();
    this.signal = this.#controller?.signal ?? caller;
    caller?.addEventListener('abort', this.#onAbort);
    this.#timer =
      timeout === undefined
        ? undefined
        : clock.setTimeout(() => this.#reach('timeout', new OpenTimeoutError(timeout)), timeout);
  }

  /** What ended the caller's patience, if anything has. */
  get reached(): Reached | undefined {
    return this.#reached;
  }

  /** The attempt that is given up when the limit is reached. */
  watch(attempt: Attempt): void {
    this.#attempt = attempt;
    // A strategy or a session may have aborted while the attempt was being made.
    if (this.#reached !== undefined) attempt.abandon(this.#reached.error);
  }

  /** The open is over: timer and listener come off. */
  lift(): void {
    this.#caller?.removeEventListener('abort', this.#onAbort);
    if (this.#controller !== undefined) this.#clock.clearTimeout(this.#timer);
  }

  #reach(by: 'abort' | 'timeout', error: unknown): void {
    if (this.#reached !== undefined) return;
    this.#reached = { by, error };
    this.#attempt?.abandon(error);
    this.#controller?.abort(error);
  }

  readonly #onAbort = (): void => this.#reach('abort', this.#caller?.reason);
}
