// The deadline of one open over all nodes that it tries.
import { type Clock, OpenTimeoutError } from '@zishuo/yamux-balancer';
import { FleetError } from '../errors.ts';

export class OpenDeadline {
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #timeout: number | undefined;
  readonly #at: number;

  constructor(clock: Clock, timeout: number | undefined, signal: AbortSignal | undefined) {
    this.#clock = clock;
    this.#signal = signal;
    this.#timeout = timeout;
    this.#at = timeout === undefined ? Infinity : clock.now() + timeout;
  }

  /** ms; undefined without a limit. */
  get left(): number | undefined {
    return this.#at === Infinity ? undefined : Math.max(0, this.#at - this.#clock.now());
  }

  /** @throws the reason of the signal, or OpenTimeoutError (`ERR_YAMUX_POOL_OPEN_TIMEOUT`), as a pool does. */
  check(): void {
    this.#signal?.throwIfAborted();
    if (this.left === 0) throw this.#exceeded();
  }

  /**
   * Resolves with the result of `begin`, within the deadline and within `limit` ms. The signal of `begin` aborts when the time is over.
   * @throws what `begin` rejects with, or what check() throws, or FleetError (`ERR_YAMUX_FLEET_UNREACHABLE`) where the limit was shorter.
   */
  async within<Value>(limit: number, begin: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    this.check();
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(this.#signal?.reason);
    const ms = Math.min(limit, this.left ?? Infinity);
    const timer =
      ms === Infinity
        ? undefined
        : this.#clock.setTimeout(() => {
            const isOver = this.left === 0;
            controller.abort(
              isOver
                ? this.#exceeded()
                : new FleetError('ERR_YAMUX_FLEET_UNREACHABLE', `A node did not answer within ${ms} ms`),
            );
          }, ms);
    this.#signal?.addEventListener('abort', onAbort);
    try {
      return await begin(controller.signal);
    } finally {
      this.#signal?.removeEventListener('abort', onAbort);
      if (timer !== undefined) this.#clock.clearTimeout(timer);
    }
  }

  #exceeded(): OpenTimeoutError {
    return new OpenTimeoutError(this.#timeout ?? 0);
  }
}
