// How long to pause before the next attempt: random between 0 and a bound that doubles ("full jitter"), so that many who lost the same
// gateway do not come back all at once.
import { checkNumber, MAX_DELAY } from './options.ts';

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

  constructor(
    { base = 250, cap = 30_000, resetAfter = 10_000, goAwayJitter = 5_000 }: BackoffOptions,
    random: () => number,
  ) {
    this.#base = checkNumber('backoff.base', base, 1, MAX_DELAY);
    this.#cap = checkNumber('backoff.cap', cap, base, MAX_DELAY);
    this.resetAfter = checkNumber('backoff.resetAfter', resetAfter, 0, MAX_DELAY);
    this.#goAwayJitter = checkNumber('backoff.goAwayJitter', goAwayJitter, 0, MAX_DELAY);
    this.#random = random;
    this.#bound = base;
  }

  /** The next pause in milliseconds; the bound is at least `share` of the cap, and doubles. */
  next(share = 0): number {
    const bound = Math.max(this.#bound, this.#cap * share);
    this.#bound = Math.min(bound * 2, this.#cap);
    return this.#random() * bound;
  }

  /** The pause of one who was sent away, which is no failure. */
  soon(): number {
    return this.#random() * this.#goAwayJitter;
  }

  reset(): void {
    this.#bound = this.#base;
  }
}
