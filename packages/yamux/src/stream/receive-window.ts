// The credit that we gave the peer on one stream, and when to give more. Pure numbers; every byte of the window is always in exactly
// one of three places:
//
//   credit (the peer may still send it) + held (received, not yet consumed) + owed (consumed, not yet granted again) = size
//
// Credit goes back when half the window is owed: one WindowUpdate per half window, and the peer never runs dry while we keep up. If
// half a window was consumed within four round trips, the window is what limits the stream, and it doubles.

import { INITIAL_WINDOW } from '../wire/constants.ts';

const FAST_ROUND_TRIPS = 4;

export class ReceiveWindow {
  #size: number = INITIAL_WINDOW;
  #credit: number = INITIAL_WINDOW;
  #owed = 0;
  #grantedAt: number;

  /** `now` in ms: when the stream was opened. */
  constructor(now: number) {
    this.#grantedAt = now;
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
  }

  /** True when enough is owed to be worth a frame. */
  get isGrantDue(): boolean {
    return this.#owed * 2 >= this.#size;
  }

  /** Bytes by which the window should grow with the grant that is due at `now`, to `maxSize` at most; `roundTrip` in ms. */
  growthDue(now: number, roundTrip: number, maxSize: number): number {
    const isFast = now - this.#grantedAt <= FAST_ROUND_TRIPS * roundTrip;
    return isFast ? Math.max(0, Math.min(this.#size, maxSize - this.#size)) : 0;
  }

  /** What it grew by is granted with the next grant. */
  grow(bytes: number): void {
    this.#size += bytes;
    this.#owed += bytes;
  }

  /** Gives back all that is owed; returns it as the delta for a WindowUpdate. */
  grant(now: number): number {
    const delta = this.#owed;
    this.#credit += delta;
    this.#owed = 0;
    this.#grantedAt = now;
    return delta;
  }
}
