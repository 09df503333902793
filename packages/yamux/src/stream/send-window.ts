// The credit that the peer granted on one stream: the bytes of payload that we may still send.

import { INITIAL_WINDOW, MAX_UINT32 } from '../wire/constants.ts';

export class SendWindow {
  #available: number = INITIAL_WINDOW;

  get available(): number {
    return this.#available;
  }

  /** Spends credit for `bytes` of payload, at most `available`. */
  spend(bytes: number): void {
    this.#available -= bytes;
  }

  /** Adds what a WindowUpdate grants. False if the window would pass 2^32-1, which no peer may do. */
  grant(delta: number): boolean {
    if (this.#available + delta > MAX_UINT32) return false;
    this.#available += delta;
    return true;
  }
}
