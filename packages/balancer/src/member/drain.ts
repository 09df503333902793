// One drain of one session: why, since when, until when, and the promise of its end. It does not know what a session is.
import type { Clock } from '../clock.ts';

/** How long a drain may take, and what comes then. */
export interface DrainOptions {
  /** For people: shown in snapshots. */
  readonly reason?: string | undefined;
  /** Milliseconds after which `done` resolves with what is left. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /**
   * What then becomes of the streams that are left: `'keep'` leaves them alone, `'reset'` destroys them with
   * `ERR_YAMUX_POOL_DRAIN_TIMEOUT`, `'close'` does that and closes the session.
   * @defaultValue 'keep'
   */
  readonly onTimeout?: 'keep' | 'reset' | 'close' | undefined;
}

/** How a drain ended. */
export interface DrainResult {
  /**
   * `'drained'`: the last stream is gone. `'timeout'`: streams were left. `'resumed'`: the session takes streams again.
   * `'removed'`: the session left the pool first.
   */
  readonly outcome: 'drained' | 'timeout' | 'resumed' | 'removed';
  /** Active and pending streams at that moment. */
  readonly remaining: number;
}

/** A drain that is under way. */
export interface DrainHandle {
  /** Resolves once, by whichever of its outcomes is first; waits for ever without a `timeout` if streams stay. Never rejects. */
  readonly done: Promise<DrainResult>;
}

export class Drain implements DrainHandle {
  readonly done: Promise<DrainResult>;
  readonly startedAt: number;
  reason: string | undefined;
  readonly #clock: Clock;
  #resolve!: (result: DrainResult) => void;
  #settled = false;
  #timer: unknown;

  constructor(clock: Clock, startedAt: number, reason: string | undefined) {
    this.#clock = clock;
    this.startedAt = startedAt;
    this.reason = reason;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Replaces the time limit. */
  limit(timeout: number, onTimeout: () => void): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(onTimeout, timeout);
  }

  /** The first result counts, as with every promise. */
  settle(outcome: DrainResult['outcome'], remaining: number): void {
    this.#settled = true;
    this.#clock.clearTimeout(this.#timer);
    this.#resolve({ outcome, remaining });
  }
}
