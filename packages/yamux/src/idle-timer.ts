// Fires once when touch() was not called for a whole interval. touch() only stores the time, so it is cheap enough for a hot path. The timer
// reads that time when it fires, and waits for the rest.

import type { Clock } from './clock.ts';

export class IdleTimer {
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #onIdle: () => void;
  readonly #progress: (() => number) | undefined;
  #seenProgress: number | undefined;
  #timer: unknown;
  #lastTouch = 0;
  #due = 0;
  #forgiven = false;

  /** `interval` in ms, above 0. `progress`: a figure that, whenever it has changed, counts as a touch at the time it is looked at. */
  constructor(clock: Clock, interval: number, onIdle: () => void, progress?: () => number) {
    this.#clock = clock;
    this.#interval = interval;
    this.#onIdle = onIdle;
    this.#progress = progress;
  }

  /** Something moved. Starts the interval anew; arms the timer if it is not. */
  touch(): void {
    this.#lastTouch = this.#clock.now();
    this.#seenProgress = this.#progress?.();
    if (this.#timer === undefined) this.#arm(this.#lastTouch, this.#interval);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#forgiven = false;
  }

  #arm(now: number, ms: number): void {
    this.#due = now + ms;
    this.#timer = this.#clock.setTimeout(this.#fire, ms);
  }

  readonly #fire = (): void => {
    const now = this.#clock.now();
    const idle = now - this.#lastTouch;
    // A timer that is late by more than its interval was suspended (a laptop's sleep, a stopped process). The bytes that it waits for may be
    // in the next read, so it waits one more interval.
    const suspended = now - this.#due > this.#interval && !this.#forgiven;
    if (suspended) {
      this.#forgiven = true;
      this.#arm(now, this.#interval);
    } else if (idle < this.#interval) {
      this.#forgiven = false;
      this.#arm(now, this.#interval - idle);
    } else if (this.#progress?.() !== this.#seenProgress) {
      this.#forgiven = false;
      this.#lastTouch = now;
      this.#seenProgress = this.#progress?.();
      this.#arm(now, this.#interval);
    } else {
      this.#timer = undefined;
      this.#forgiven = false;
      this.#onIdle();
    }
  };
}
