// Detects a transport that takes nothing for `writeTimeout`, and ends the session. A session that stayed half alive would leave the peer's
// readers waiting (hashicorp's GHSA-29qp-crvh-w22m).

import type { Duplex } from 'node:stream';
import type { ResolvedOptions } from './options.ts';
import { StallTimer } from './stall-timer.ts';
import type { WriteProgress } from './write-progress.ts';

export class WriteWatch {
  readonly #progress: WriteProgress;
  #timer: StallTimer | undefined;
  /** Something was handed over and not all of it taken. */
  #isWaiting = false;

  /** A transport with a numeric `writeTimeout` has its own limit. */
  constructor(
    transport: Duplex,
    progress: WriteProgress,
    { clock, writeTimeout }: Pick<ResolvedOptions, 'clock' | 'writeTimeout'>,
    onStall: () => void,
  ) {
    this.#progress = progress;
    const watchesItself = typeof (transport as { writeTimeout?: unknown }).writeTimeout === 'number';
    if (writeTimeout === 0 || watchesItself) return;
    this.#timer = new StallTimer(clock, writeTimeout, progress, () => {
      if (this.#isWaiting) onStall();
    });
  }

  /** Something was handed over: from now on something must be taken. */
  begin(): void {
    if (this.#timer === undefined || this.#isWaiting || this.#progress.backlog === 0) return;
    this.#isWaiting = true;
    this.#timer.touch();
  }

  /** The transport took something. */
  progressed(): void {
    this.#isWaiting = this.#progress.backlog > 0;
    if (this.#isWaiting) this.#timer?.touch();
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }
}
