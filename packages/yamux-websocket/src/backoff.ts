// How long to pause before the next attempt: random between 0 and a bound that doubles ("full jitter"), so that the many clients of one lost
// gateway do not dial again all at once.
import { checkMilliseconds, checkOptions } from './arguments.ts';

/** Milliseconds. */
export interface BackoffOptions {
  /**
   * The first bound.
   * @defaultValue 250
   */
  readonly base?: number | undefined;
  /**
   * The largest bound.
   * @defaultValue 30000
   */
  readonly cap?: number | undefined;
  /**
   * A session that lived this long was a good one: the bound starts anew.
   * @defaultValue 10000
   */
  readonly resetAfter?: number | undefined;
  /**
   * After a GoAway, or close code 1001 or 1012: the bound of the one pause.
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

  /** The next pause in milliseconds; the bound is at least `share` of the cap, and doubles. */
  next(share = 0): number {
    const bound = Math.max(this.#bound, this.#cap * share);
    this.#bound = Math.min(bound * 2, this.#cap);
    return this.#random() * bound;
  }

  /** The pause after a gateway asked its clients to leave, which is no failure. */
  soon(): number {
    return this.#random() * this.#goAwayJitter;
  }

  reset(): void {
    this.#bound = this.#base;
  }
}
