// WebSocket pings, for connections without a Yamux session. Every received message shows that the peer is alive. The timer runs in whole
// intervals, so that a message only sets a flag.

import { systemClock } from '@zishuo/yamux';

export class Heartbeat {
  readonly #interval: number;
  readonly #ping: () => void;
  readonly #onSilence: () => void;
  #timer: unknown;
  #due = 0;
  #heard = false;
  #pinged = false;

  /** `interval` is in milliseconds, above 0. `onSilence` is called once, when nothing was received in an interval and in the one after a ping. */
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

  /** Call it when anything was received. */
  heard(): void {
    this.#heard = true;
  }

  #arm(): void {
    this.#heard = false;
    this.#due = performance.now() + this.#interval;
    this.#timer = systemClock.setTimeout(this.#tick, this.#interval);
  }

  readonly #tick = (): void => {
    // If other work delayed this timer, the answer may already be in the socket, unread. Let it be read first.
    setImmediate(this.#judge);
  };

  readonly #judge = (): void => {
    if (this.#timer === undefined) return;
    const overslept = performance.now() - this.#due > this.#interval; // this process or machine was suspended; the peer is not to blame
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
