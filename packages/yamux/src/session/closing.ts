// The promise of close(): shared by all callers, limited by a timeout, cancelled by a signal.

import { type Clock, checkDelay } from '../clock.ts';
import { WaitingLine } from './waiting-line.ts';

export class Closing {
  readonly #clock: Clock;
  readonly #line = new WaitingLine<void>();
  readonly #signals = new Map<AbortSignal, () => void>();
  #promise: Promise<void> | undefined;
  #timer: unknown;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get hasBegun(): boolean {
    return this.#promise !== undefined;
  }

  get promise(): Promise<void> {
    if (this.#promise === undefined) {
      this.#promise = this.#line.wait();
      // Code that does not wait for the promise gets the session's 'error' after an unclean end.
      this.#promise.catch(() => {});
    }
    return this.#promise;
  }

  /** After `timeout` ms, instead of after an earlier limit. */
  limit(timeout: number, onTimeout: () => void): void {
    checkDelay('timeout', timeout);
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(onTimeout, timeout);
  }

  abortOn(signal: AbortSignal, onAbort: () => void): void {
    const abort = (): void => {
      this.#aborted ??= { reason: signal.reason };
      onAbort();
    };
    if (signal.aborted) abort();
    else if (!this.#signals.has(signal)) {
      this.#signals.set(signal, abort);
      signal.addEventListener('abort', abort, { once: true });
    }
  }

  /** The session has ended, because of `error` if that was unclean. */
  settle(error: Error | null): void {
    this.#clock.clearTimeout(this.#timer);
    for (const [signal, abort] of this.#signals) signal.removeEventListener('abort', abort);
    this.#signals.clear();
    if (this.#aborted) this.#line.failAll(this.#aborted.reason);
    else if (error) this.#line.failAll(error);
    else this.#line.serveAll();
  }
}
