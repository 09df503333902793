// How far the transport has come with what it was given, as far as that can be seen from outside. Pure numbers; time is passed in.

import type { Duplex } from 'node:stream';

export class WriteProgress {
  readonly #transport: Duplex;
  readonly #handedOver: () => number;
  readonly #taken: () => number;
  #waitingFrom: number | undefined;
  #takenBefore = 0;
  #pace = Number.POSITIVE_INFINITY;

  /** `handedOver`: bytes that we gave the transport; `taken`: those of which it has called back. */
  constructor(transport: Duplex, handedOver: () => number, taken: () => number) {
    this.#transport = transport;
    this.#handedOver = handedOver;
    this.#taken = taken;
  }

  /**
   * Bytes that it has not let go, some of them counted twice: a large write to a slow socket has no callback for long, but the queue below
   * Node's gets shorter meanwhile.
   */
  get backlog(): number {
    const { _handle: handle } = this.#transport as { _handle?: { writeQueueSize?: number } | null };
    return this.#transport.writableLength + (handle?.writeQueueSize ?? 0);
  }

  /** Bytes of somebody else that it has not taken. */
  get foreignBacklog(): number {
    return Math.max(0, this.#transport.writableLength - (this.#handedOver() - this.#taken()));
  }

  /** Grows with every byte that it lets go, somebody else's bytes before ours among them. */
  get done(): number {
    return this.#handedOver() - this.backlog;
  }

  /** Bytes a ms while it was waited for; Infinity where it never was. */
  get pace(): number {
    return this.#pace;
  }

  /** Something was handed over and not taken at once. */
  get isWaiting(): boolean {
    return this.#waitingFrom !== undefined;
  }

  /** Something was handed over at `now`, in ms. */
  begin(now: number): void {
    if (this.#waitingFrom !== undefined || this.backlog === 0) return;
    this.#waitingFrom = now;
    this.#takenBefore = this.#taken();
  }

  /** A batch was taken, at the latest at `now`. */
  advanced(now: number): void {
    if (this.#waitingFrom === undefined) return;
    const elapsed = now - this.#waitingFrom;
    if (elapsed > 0) this.#pace = (this.#taken() - this.#takenBefore) / elapsed;
    if (this.backlog === 0) this.#waitingFrom = undefined;
  }
}
