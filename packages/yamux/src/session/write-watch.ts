// Notices a transport that takes nothing for `writeTimeout`. A write timeout that left the session half alive would strand the peer's
// readers (hashicorp's GHSA-29qp-crvh-w22m), so the session ends.

import type { Duplex } from 'node:stream';
import { IdleTimer } from '../idle-timer.ts';
import type { ResolvedOptions } from './options.ts';

export class WriteWatch {
  readonly #transport: Duplex;
  readonly #onStall: () => void;
  readonly #timer: IdleTimer | undefined;
  #queueSize = 0;

  /** A transport with a numeric `writeTimeout` watches over itself. */
  constructor(transport: Duplex, { clock, writeTimeout }: ResolvedOptions, onStall: () => void) {
    this.#transport = transport;
    this.#onStall = onStall;
    const watchesItself = typeof (transport as { writeTimeout?: unknown }).writeTimeout === 'number';
    if (writeTimeout > 0 && !watchesItself) this.#timer = new IdleTimer(clock, writeTimeout, () => this.#judge());
  }

  /** Something was handed over: from now on something must be taken. */
  begin(): void {
    if (this.#timer === undefined || this.#timer.isArmed || this.#transport.writableLength === 0) return;
    this.progressed();
  }

  progressed(): void {
    this.#queueSize = this.#socketQueueSize();
    this.#timer?.touch();
  }

  stop(): void {
    this.#timer?.stop();
  }

  #judge(): void {
    if (this.#transport.writableLength === 0) return;
    // A large write to a slow link has no callback for long: what counts is that the queue below Node's gets shorter.
    if (this.#socketQueueSize() < this.#queueSize) this.progressed();
    else this.#onStall();
  }

  #socketQueueSize(): number {
    return (this.#transport as { _handle?: { writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0;
  }
}
