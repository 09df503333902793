// The arithmetic of a link: when bytes that enter at one end leave at the other. Knows no socket and no clock.

import type { LinkShape } from './case.ts';

/** The length of the queue before the link, in ms of sending, as in a router. When it is full, a sender must wait. */
const QUEUE_MS = 10;

/** One direction of a link. Times are in ms on the caller's clock. */
export class Link {
  readonly #delayMs: number;
  readonly #bytesPerMs: number;
  /** When the last byte so far has been put on the link. */
  #freeAt = 0;

  constructor({ delayMs, bytesPerSecond }: LinkShape) {
    this.#delayMs = delayMs;
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Takes bytes at `now`. Returns when the last of them comes out: in order, and no faster than the bandwidth. */
  send(now: number, bytes: number): number {
    this.#freeAt = Math.max(this.#freeAt, now) + bytes / this.#bytesPerMs;
    return this.#freeAt + this.#delayMs;
  }

  /** The time from `now` until the link takes more, in ms; 0 while its queue has room. */
  waitMs(now: number): number {
    return Math.max(0, this.#freeAt - now - QUEUE_MS);
  }
}
