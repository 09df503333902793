// The credit that we gave the peer on one stream, and when to give more. Pure numbers; every byte of the window is always in exactly
// one of three places:
//
//   credit (the peer may still send it) + held (received, not yet consumed) + owed (consumed, not yet granted again) = size
//
// Credit goes back when half the window is owed: one WindowUpdate per half window, and the peer never runs dry while we keep up.

import { INITIAL_WINDOW } from '../wire/constants.ts';

export class ReceiveWindow {
  #size: number = INITIAL_WINDOW;
  #credit: number = INITIAL_WINDOW;
  #owed = 0;

  /** Bytes that this stream may make us hold. */
  get size(): number {
    return this.#size;
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

  /** Gives back all that is owed; returns it as the delta for a WindowUpdate. */
  grant(): number {
    const delta = this.#owed;
    this.#credit += delta;
    this.#owed = 0;
    return delta;
  }
}
