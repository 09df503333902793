// The arithmetic of a link: when what arrives at its one end leaves at the other. Knows no socket and no clock.

import type { LinkShape } from './case.ts';

/** ms of sending that may wait before the link, as in the queue of a router: past it a sender is told to wait. */
const QUEUE_MS = 10;

/** One direction of it. Times are ms on the caller's clock. */
export class Link {
  readonly #delayMs: number;
  readonly #bytesPerMs: number;
  /** When the last byte that was given has gone onto the link. */
  #freeAt = 0;

  constructor({ delayMs, bytesPerSecond }: LinkShape) {
    this.#delayMs = delayMs;
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Takes bytes that are there at `now`. Returns when the last of them comes out: in order, and no faster than the link is. */
  send(now: number, bytes: number): number {
    this.#freeAt = Math.max(this.#freeAt, now) + bytes / this.#bytesPerMs;
    return this.#freeAt + this.#delayMs;
  }

  /** ms from `now` until it takes more; 0 while its queue has room. */
  waitMs(now: number): number {
    return Math.max(0, this.#freeAt - now - QUEUE_MS);
  }
}
