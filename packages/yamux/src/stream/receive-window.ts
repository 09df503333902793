// The credit that the peer has on one stream, and when to grant more. Pure numbers. Every byte of the window is always in exactly one of three
// states:
//
//   credit (the peer may still send it) + held (received, not yet consumed) + owed (consumed, not yet granted again) = size
//
// Credit is granted in whole halves of the window, one WindowUpdate per half, so a peer that has used up its window gets all of it again. The
// remainder of a half would wait for bytes that cannot come. The peer does not run out of credit while the reader keeps up.
//
// A stream carries at most one window per round trip. Bytes beyond the capacity of the path only wait in the queues below, in front of all
// other streams. So the window is twice the capacity of the path: the highest rate of the stream, times the shortest round trip. A stream
// that is limited by its window has a rate of one window per round trip, so its window doubles until something else is the limit.
//
// A stream of a few round trips ends before it has been measured. So a window of which half is consumed within SHORTEST_MEASURE doubles at once,
// up to EARLY_WINDOW: on a path that is so fast, the peer would otherwise stop for credit several times in each megabyte.

import { INITIAL_WINDOW } from '../wire/constants.ts';

/** ms. A shorter measurement shows how fast a buffer was emptied, not how fast the path is. */
const SHORTEST_MEASURE = 20;
/** Bytes to which a window grows before its first measurement. */
const EARLY_WINDOW = 1_048_576;

export class ReceiveWindow {
  #size: number = INITIAL_WINDOW;
  #credit: number = INITIAL_WINDOW;
  #owed = 0;
  /** The current measurement: its start in ms, and the bytes consumed since. */
  #measuredFrom: number;
  #measured = 0;
  /** Bytes per ms, of the fastest measurement. */
  #rate = 0;

  /** `now` in ms: when the stream was opened. */
  constructor(now: number) {
    this.#measuredFrom = now;
  }

  /** Bytes that this stream may make us hold. */
  get size(): number {
    return this.#size;
  }

  /** Bytes beyond the initial window. */
  get growth(): number {
    return this.#size - INITIAL_WINDOW;
  }

  /** Bytes that the peer may still send before we grant more. */
  get credit(): number {
    return this.#credit;
  }

  /** Bytes received and not yet consumed. */
  get held(): number {
    return this.#size - this.#credit - this.#owed;
  }

  /** The header of a Data frame announced `bytes`. False if that is more than we granted. */
  announce(bytes: number): boolean {
    if (bytes > this.#credit) return false;
    this.#credit -= bytes;
    return true;
  }

  /** The application took `bytes` of what is held. */
  consume(bytes: number): void {
    this.#owed += bytes;
    this.#measured += bytes;
  }

  /** True when enough is owed to be worth a frame. */
  get isGrantDue(): boolean {
    return this.#owed >= this.#half;
  }

  get #half(): number {
    return Math.floor(this.#size / 2);
  }

  /** Ends the measure of how fast the stream is, if it has taken long enough; false if it goes on. `now` and `roundTrip` in ms. */
  measure(now: number, roundTrip: number): boolean {
    const elapsed = now - this.#measuredFrom;
    if (this.#measured < this.#size || elapsed < Math.max(roundTrip, SHORTEST_MEASURE)) return false;
    this.#rate = Math.max(this.#rate, this.#measured / elapsed);
    this.#measured = 0;
    this.#measuredFrom = now;
    return true;
  }

  /**
   * Bytes by which the window should grow, to at most `maxSize`, or shrink if negative. A window of up to 1.5 times the needed size is kept,
   * so that it does not change with every measurement.
   */
  changeWanted(roundTrip: number, maxSize: number): number {
    const wanted = Math.min(Math.max(Math.floor(2 * this.#rate * roundTrip), INITIAL_WINDOW), maxSize);
    if (wanted > this.#size) return Math.min(wanted, 2 * this.#size) - this.#size;
    return wanted * 1.5 < this.#size ? wanted - this.#size : 0;
  }

  /** Bytes by which the window of a fast stream should grow before its first measurement, to `maxSize` at most; 0 later. `now` in ms. */
  earlyGrowth(now: number, maxSize: number): number {
    if (this.#rate > 0 || now - this.#measuredFrom >= SHORTEST_MEASURE) return 0;
    return Math.max(0, Math.min(2 * this.#size, EARLY_WINDOW, maxSize) - this.#size);
  }

  /** Enlarges the window, by credit for the peer; returns that as the delta for a WindowUpdate. */
  grow(bytes: number): number {
    this.#size += bytes;
    this.#credit += bytes;
    return bytes;
  }

  /** Shrinks the window by withholding owed credit, so at most by the owed bytes. Returns the number of bytes. */
  shrink(bytes: number): number {
    const withheld = Math.min(bytes, this.#owed);
    this.#size -= withheld;
    this.#owed -= withheld;
    return withheld;
  }

  /** Grants the owed halves, often none; returns them as the delta for a WindowUpdate. */
  grant(): number {
    const delta = this.#owed - (this.#owed % this.#half);
    this.#credit += delta;
    this.#owed -= delta;
    return delta;
  }

  /** Grants all owed bytes; returns them as the delta for a WindowUpdate. */
  grantAll(): number {
    const delta = this.#owed;
    this.#credit += delta;
    this.#owed = 0;
    return delta;
  }
}
