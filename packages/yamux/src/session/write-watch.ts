// Notices a transport that takes nothing for `writeTimeout`. A write timeout that left the session half alive would strand the peer's
// readers (hashicorp's GHSA-29qp-crvh-w22m), so the session ends.

import type { Duplex } from 'node:stream';
import { IdleTimer } from '../idle-timer.ts';
import type { ResolvedOptions } from './options.ts';

export class WriteWatch {
  readonly #transport: Duplex;
  readonly #onStall: () => void;
  #timer: IdleTimer | undefined;
  /** Something was handed over and not all of it taken. */
  #isWaiting = false;
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
    if (this.#timer === undefined || this.#isWaiting || this.#transport.writableLength === 0) return;
    this.#isWaiting = true;
    this.#restart();
  }

  progressed(): void {
    this.#isWaiting = this.#transport.writableLength > 0;
    if (this.#isWaiting) this.#restart();
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  #restart(): void {
    this.#queueSize = this.#socketQueueSize();
    this.#timer?.touch();
  }

  #judge(): void {
    if (!this.#isWaiting) return;
    // A large write to a slow link has no callback for long: what counts is that the queue below Node's gets shorter.
    if (this.#socketQueueSize() < this.#queueSize) this.#restart();
    else this.#onStall();
  }

  #socketQueueSize(): number {
    return (this.#transport as { _handle?: { writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0;
  }
}
