// The progress of the transport with the bytes that it was given, as far as it can be seen from outside. Pure numbers; time is an argument.

import type { Duplex } from 'node:stream';

/** ms for which what is handed over may wait: a ping, or another stream's frame, comes behind it. */
const AHEAD = 500;
/** Bytes, for the slowest and the fastest transport. */
const LEAST_AHEAD = 4096;
const MOST_AHEAD = 131_072;
/** Bytes after which a measure of less than AHEAD is believed: a kernel's buffer takes as many at a time over a link of any speed. */
const BYTES_OF_A_MEASURE = 1_048_576;

export class WriteProgress {
  readonly #transport: Duplex;
  readonly #handedOver: () => number;
  readonly #taken: () => number;
  #waitingFrom: number | undefined;
  #takenBefore = 0;
  /** Of the measure under way: the ms for which it was waited, and the bytes that were taken meanwhile. */
  #measuredMs = 0;
  #measuredBytes = 0;
  #advancedAt = 0;
  #takenAtAdvance = 0;
  #ahead = MOST_AHEAD;
  #pace = Number.POSITIVE_INFINITY;

  /** `handedOver`: bytes that we gave the transport; `taken`: those of which it has called back. */
  constructor(transport: Duplex, handedOver: () => number, taken: () => number) {
    this.#transport = transport;
    this.#handedOver = handedOver;
    this.#taken = taken;
  }

  /**
   * Bytes that the transport has not sent, some counted twice. The callback of a large write to a slow socket comes late, but the queue
   * below Node's buffer gets shorter meanwhile.
   */
  get backlog(): number {
    const { _handle: handle } = this.#transport as { _handle?: { writeQueueSize?: number } | null };
    return this.#transport.writableLength + (handle?.writeQueueSize ?? 0);
  }

  /** Bytes of other code that the transport has not taken. */
  get foreignBacklog(): number {
    return Math.max(0, this.#transport.writableLength - (this.#handedOver() - this.#taken()));
  }

  /** Grows with every byte that the transport sends, including other code's bytes before ours. */
  get done(): number {
    return this.#handedOver() - this.backlog;
  }

  /** Bytes a ms while it was waited for; Infinity where it never was. */
  get pace(): number {
    return this.#pace;
  }

  /**
   * The limit of bytes that are handed over and not taken: as many as the transport takes in half a second, between 4 KiB and 128 KiB. More would
   * wait in front of every other stream: 128 KiB are 14 s at 9 kB/s.
   */
  get ahead(): number {
    return this.#ahead;
  }

  /** Something was handed over and not taken at once. */
  get isWaiting(): boolean {
    return this.#waitingFrom !== undefined;
  }

  /** While it is waited for: when the transport took something last, or the wait began; in ms. */
  get idleSince(): number | undefined {
    return this.#waitingFrom === undefined ? undefined : this.#advancedAt;
  }

  /** Something was handed over at `now`, in ms. */
  begin(now: number): void {
    if (this.#waitingFrom !== undefined || this.backlog === 0) return;
    this.#waitingFrom = now;
    this.#takenBefore = this.#taken();
    this.#advancedAt = now;
    this.#takenAtAdvance = this.#takenBefore;
  }

  /** A batch was taken, at the latest at `now`. */
  advanced(now: number): void {
    if (this.#waitingFrom === undefined) return;
    this.#measure(now);
    const elapsed = now - this.#waitingFrom;
    if (elapsed > 0) this.#pace = (this.#taken() - this.#takenBefore) / elapsed;
    if (this.backlog === 0) this.#waitingFrom = undefined;
  }

  #measure(now: number): void {
    this.#measuredMs += now - this.#advancedAt;
    this.#measuredBytes += this.#taken() - this.#takenAtAdvance;
    this.#advancedAt = now;
    this.#takenAtAdvance = this.#taken();
    if (this.#measuredMs < AHEAD && this.#measuredBytes < BYTES_OF_A_MEASURE) return;
    const bytes = Math.floor((this.#measuredBytes / Math.max(this.#measuredMs, 1)) * AHEAD);
    this.#ahead = Math.min(Math.max(bytes, LEAST_AHEAD), MOST_AHEAD);
    this.#measuredMs = 0;
    this.#measuredBytes = 0;
  }
}
