// Pings of the WebSocket, for connections whose other end has nothing else to say. Whatever comes in is life. It ticks in whole intervals,
// so that a message costs no more than a flag.

export class Heartbeat {
  readonly #interval: number;
  readonly #ping: () => void;
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #heard = false;
  #pinged = false;

  /** `interval` in milliseconds, above 0. `onSilence` is called once: nothing came for an interval, and no answer to a ping in the next. */
  constructor(interval: number, ping: () => void, onSilence: () => void) {
    this.#interval = interval;
    this.#ping = ping;
    this.#onSilence = onSilence;
  }

  start(): void {
    if (this.#timer === undefined) this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pinged = false;
  }

  /** Something came in. */
  heard(): void {
    this.#heard = true;
  }

  #arm(): void {
    this.#heard = false;
    this.#due = performance.now() + this.#interval;
    this.#timer = setTimeout(this.#tick, this.#interval).unref();
  }

  readonly #tick = (): void => {
    // The answer may lie in the socket, unread, behind the work that held this timer up.
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
