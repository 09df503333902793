// Notices a transport that takes nothing for `writeTimeout`. A write timeout that left the session half alive would strand the peer's
// readers (hashicorp's GHSA-29qp-crvh-w22m), so the session ends.

import type { Duplex } from 'node:stream';
import { IdleTimer } from '../idle-timer.ts';
import type { ResolvedOptions } from './options.ts';
import type { WriteProgress } from './write-progress.ts';

const FOREIGN_BYTES_A_PERIOD = 131_072;

export class WriteWatch {
  readonly #progress: WriteProgress;
  #timer: IdleTimer | undefined;
  /** Something was handed over and not all of it taken. */
  #isWaiting = false;
  /** Since the last progress that was seen. */
  #idlePeriods = 0;
  #doneBefore: number | undefined;

  /** A transport with a numeric `writeTimeout` watches over itself. */
  constructor(
    transport: Duplex,
    progress: WriteProgress,
    { clock, writeTimeout }: Pick<ResolvedOptions, 'clock' | 'writeTimeout'>,
    onStall: () => void,
  ) {
    this.#progress = progress;
    const watchesItself = typeof (transport as { writeTimeout?: unknown }).writeTimeout === 'number';
    if (writeTimeout === 0 || watchesItself) return;
    const onIdle = (): void => {
      if (!this.#isWaiting) return;
      this.#idlePeriods = progress.done === this.#doneBefore ? this.#idlePeriods + 1 : 1;
      this.#doneBefore = progress.done;
      // Somebody else's bytes stand before ours, and may be one large write, of which nothing is seen until it is taken.
      if (this.#idlePeriods <= progress.foreignBacklog / FOREIGN_BYTES_A_PERIOD) this.#timer?.touch();
      else onStall();
    };
    this.#timer = new IdleTimer(clock, writeTimeout, onIdle, () => progress.done);
  }

  /** Something was handed over: from now on something must be taken. */
  begin(): void {
    if (this.#timer === undefined || this.#isWaiting || this.#progress.backlog === 0) return;
    this.#isWaiting = true;
    this.#timer.touch();
  }

  /** The transport took something. */
  progressed(): void {
    this.#idlePeriods = 0;
    this.#isWaiting = this.#progress.backlog > 0;
    if (this.#isWaiting) this.#timer?.touch();
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }
}
