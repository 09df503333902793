// The time for which streams of a session have waited for credit while the peer granted none and sent no payload. One object for all streams,
// because a peer that serves other streams has not stalled. It is called for every slice of payload, and reads the clock only while a stream waits.

import type { Clock } from '../clock.ts';

export class CreditWait {
  readonly #clock: Clock;
  #streams = 0;
  /** While some wait: since when, the times left out in which none did. */
  #since = 0;
  /** While none waits: for how long it was waited in vain. */
  #kept = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Not reset when waiting streams are destroyed, because the next stream waits for the same peer. */
  get ms(): number {
    return this.#streams === 0 ? this.#kept : this.#clock.now() - this.#since;
  }

  /** One more stream waits. */
  begin(): void {
    if (this.#streams === 0) this.#since = this.#clock.now() - this.#kept;
    this.#streams += 1;
  }

  /** One of them waits no more. */
  end(): void {
    if (this.#streams === 1) this.#kept = this.ms;
    this.#streams -= 1;
  }

  /** The peer has given credit or sent payload, on any stream. */
  moved(): void {
    if (this.#streams === 0) this.#kept = 0;
    else this.#since = this.#clock.now();
  }
}
