// Fires when a transport has made no progress for a whole interval; later if other bytes are ahead of ours, because they may be one large
// write whose progress cannot be seen.

import type { Clock } from '../clock.ts';
import { IdleTimer } from '../idle-timer.ts';

/** The visible progress of a transport. */
export interface TransportFigures {
  /** Grows with every byte that it lets go. */
  readonly done: number;
  /** Bytes of other code that the transport has not taken. */
  readonly foreignBacklog: number;
}

const FOREIGN_BYTES_AN_INTERVAL = 131_072;

export class StallTimer {
  readonly #figures: TransportFigures;
  readonly #onStall: () => void;
  readonly #timer: IdleTimer;
  /** Since the last progress that was seen. */
  #idleIntervals = 0;
  #doneBefore: number | undefined;

  /** `interval` in ms, above 0. */
  constructor(clock: Clock, interval: number, figures: TransportFigures, onStall: () => void) {
    this.#figures = figures;
    this.#onStall = onStall;
    this.#timer = new IdleTimer(
      clock,
      interval,
      () => this.#onIdle(),
      () => figures.done,
    );
  }

  /** It took something, or is to begin: from now on it may let nothing go for an interval. */
  touch(): void {
    this.#idleIntervals = 0;
    this.#timer.touch();
  }

  stop(): void {
    this.#timer.stop();
  }

  #onIdle(): void {
    const { done, foreignBacklog } = this.#figures;
    this.#idleIntervals = done === this.#doneBefore ? this.#idleIntervals + 1 : 1;
    this.#doneBefore = done;
    if (this.#idleIntervals <= foreignBacklog / FOREIGN_BYTES_AN_INTERVAL) this.#timer.touch();
    else this.#onStall();
  }
}
