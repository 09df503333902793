// The pause before the next dial: random between 0 and a bound that doubles ("full jitter"), so that the clients of a gateway that failed do
// not all dial again at the same time.
import { checkMilliseconds, checkOptions } from './arguments.ts';

/** All times in milliseconds. */
export interface BackoffOptions {
  /**
   * The bound of the first pause.
   * @defaultValue 250
   */
  readonly base?: number | undefined;
  /**
   * The largest bound of a pause.
   * @defaultValue 30000
   */
  readonly cap?: number | undefined;
  /**
   * After a session that lasted this long, the bound starts again at `base`.
   * @defaultValue 10000
   */
  readonly resetAfter?: number | undefined;
  /**
   * The bound of the pause after a GoAway, or after close code 1001 or 1012.
   * @defaultValue 5000
   */
  readonly goAwayJitter?: number | undefined;
}

export class Backoff {
  readonly resetAfter: number;
  readonly #base: number;
  readonly #cap: number;
  readonly #goAwayJitter: number;
  readonly #random: () => number;
  #bound: number;

  /** @throws {TypeError | RangeError} */
  constructor(options: BackoffOptions | undefined, random: () => number) {
    checkOptions('backoff', options, ['base', 'cap', 'resetAfter', 'goAwayJitter']);
    const { base = 250, cap = 30_000, resetAfter = 10_000, goAwayJitter = 5_000 } = options ?? {};
    this.#base = checkMilliseconds('backoff.base', base, 1);
    this.#cap = checkMilliseconds('backoff.cap', cap, base);
    this.resetAfter = checkMilliseconds('backoff.resetAfter', resetAfter);
    this.#goAwayJitter = checkMilliseconds('backoff.goAwayJitter', goAwayJitter);
    this.#random = random;
    this.#bound = base;
  }

  /** The next pause, in milliseconds. Its bound is at least `share` of the cap. Doubles the bound for the pause after it. */
  next(share = 0): number {
    const bound = Math.max(this.#bound, this.#cap * share);
    this.#bound = Math.min(bound * 2, this.#cap);
    return this.#random() * bound;
  }

  /** The pause after a gateway asked its clients to leave, in milliseconds. That is not a failure, so the bound does not grow. */
  soon(): number {
    return this.#random() * this.#goAwayJitter;
  }

  reset(): void {
    this.#bound = this.#base;
  }
}
