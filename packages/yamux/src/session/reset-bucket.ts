// Limits how fast a peer may open and reset streams (the "rapid reset" flood). Each such reset takes a token from a bucket that refills with
// time. While the bucket is empty, new streams are refused before any object is created for them. The session continues, because one client
// with many aborts must not cost the other tenants of a tunnel their streams. Pure: time is an argument.

/** Resets a second that a peer may make continuously. */
const REFILL_PER_SECOND = 200;

export class ResetBucket {
  readonly #capacity: number;
  #left: number;
  #filledAt: number;

  constructor(capacity: number, now: number) {
    this.#capacity = capacity;
    this.#left = capacity;
    this.#filledAt = now;
  }

  isEmpty(now: number): boolean {
    // The clock is read only when the bucket is empty: before that nothing has to be refilled.
    if (this.#left >= 1) return false;
    this.#refill(now);
    return this.#left < 1;
  }

  /** The peer reset a stream on which we had written nothing. */
  take(now: number): void {
    this.#refill(now);
    this.#left = Math.max(0, this.#left - 1);
  }

  #refill(now: number): void {
    this.#left = Math.min(this.#capacity, this.#left + ((now - this.#filledAt) / 1000) * REFILL_PER_SECOND);
    this.#filledAt = now;
  }
}
