// WebSocket pings, for connections without a Yamux session. Every received message counts as a sign of life. The timer runs in whole
// intervals, so that a message costs no more than setting a flag.

import { systemClock } from '@zishuo/yamux';

export class Heartbeat {
  readonly #interval: number;
  readonly #ping: () => void;
  readonly #onSilence: () => void;
  #timer: unknown;
  #due = 0;
  #heard = false;
  #pinged = false;

  /** `interval` in milliseconds, above 0. `onSilence` is called once: nothing was received for an interval, nor for another one after a ping. */
  constructor(interval: number, ping: () => void, onSilence: () => void) {
    this.#interval = interval;
    this.#ping = ping;
    this.#onSilence = onSilence;
  }

  start(): void {
    if (this.#timer === undefined) this.#arm();
  }

  stop(): void {
    systemClock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pinged = false;
  }

  /** Something was received. */
  heard(): void {
    this.#heard = true;
  }

  #arm(): void {
    this.#heard = false;
    this.#due = performance.now() + this.#interval;
    this.#timer = systemClock.setTimeout(this.#tick, this.#interval);
  }

  readonly #tick = (): void => {
    // The answer may be in the socket already, unread, if other work delayed this timer.
    setImmediate(this.#judge);
  };

  readonly #judge = (): void => {
    if (this.#timer === undefined) return;
    const overslept = performance.now() - this.#due > this.#interval; // the process or the machine slept, not the peer
    if (this.#heard || overslept) {
      this.#pinged = false;
    } else if (this.#pinged) {
      this.stop();
      this.#onSilence();
      return;
    } else {
      this.#pinged = true;
      this.#ping();
    }
    this.#arm();
  };
}
