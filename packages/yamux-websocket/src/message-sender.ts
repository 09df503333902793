// The sending half of a byte stream: sends one batch of chunks at a time as messages, and completes it when the socket has sent them.
// Detects a stalled socket. Knows no Duplex, and never ends the socket itself.
import { systemClock } from '@zishuo/yamux';
import { eachMessage } from './message-batch.ts';
import type { MessageSocket } from './message-socket.ts';
import type { ResolvedStreamOptions } from './options.ts';

type WriteCallback = (error?: Error | null) => void;

/** How often `bufferedAmount` is checked while it is too high. Some sockets report progress in no other way. */
const POLL_MS = 5;

export class MessageSender {
  readonly #socket: MessageSocket;
  readonly #limits: ResolvedStreamOptions;
  /** Called at most once, when the socket sent no byte for `writeTimeout`. */
  readonly #onStall: () => void;

  /** The callback of the batch in flight. */
  #callback: WriteCallback | undefined;
  /** A batch that waits for the socket to open. */
  #held: readonly Uint8Array[] | undefined;
  /** How many messages of the batch wait for their `sent` callback. */
  #unsent = 0;
  #closedBy: Error | undefined;

  #pollTimer: unknown;
  #stallTimer: unknown;
  #stallDue = 0;
  #progressAt = 0;
  /** The backlog at the last check. A smaller one is progress, even if no message is sent yet. */
  #lastBacklog = 0;

  constructor(socket: MessageSocket, limits: ResolvedStreamOptions, onStall: () => void) {
    this.#socket = socket;
    this.#limits = limits;
    this.#onStall = onStall;
  }

  /** Sends one batch. Do not call it before the callback of the last batch. */
  send(chunks: readonly Uint8Array[], callback: WriteCallback): void {
    if (this.#closedBy !== undefined) {
      callback(this.#closedBy);
      return;
    }
    this.#callback = callback;
    if (this.#socket.state === 'connecting') this.#held = chunks;
    else this.#dispatch(chunks);
  }

  /** Call it when the socket opens. */
  opened(): void {
    const chunks = this.#held;
    this.#held = undefined;
    if (chunks !== undefined) this.#dispatch(chunks);
  }

  /** Stops sending. The batch in flight and every later batch fail with `error`. */
  close(error: Error): void {
    systemClock.clearTimeout(this.#pollTimer);
    systemClock.clearTimeout(this.#stallTimer);
    this.#closedBy = error;
    this.#held = undefined;
    const callback = this.#callback;
    this.#callback = undefined;
    if (callback !== undefined) process.nextTick(callback, error);
  }

  #dispatch(chunks: readonly Uint8Array[]): void {
    this.#unsent = 1; // one more than there are messages, until all are queued: a driver may call `sent` synchronously
    this.#progressAt = performance.now();
    this.#watch();
    // Sends all messages of the batch in one system call; `ws` alone makes one for each message.
    const { carrier } = this.#limits;
    carrier?.cork?.();
    try {
      eachMessage(chunks, this.#limits.maxMessageBytes, this.#sendOne);
    } finally {
      carrier?.uncork?.();
    }
    this.#lastBacklog = this.#backlog;
    this.#sent();
  }

  readonly #sendOne = (message: Uint8Array): void => {
    this.#unsent++;
    this.#socket.send(message, this.#sent);
  };

  // A failed send does not complete the batch. The socket then closes and gives the reason, or the stall is detected.
  readonly #sent = (error?: Error | null): void => {
    if (error || this.#callback === undefined) return;
    this.#unsent--;
    this.#progressAt = performance.now();
    this.#complete();
  };

  readonly #complete = (): void => {
    if (this.#unsent > 0) return;
    if (this.#socket.bufferedAmount > this.#limits.highWaterMark) {
      this.#pollTimer = systemClock.setTimeout(this.#complete, POLL_MS);
      return;
    }
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  };

  get #backlog(): number {
    return this.#socket.backlog ?? this.#socket.bufferedAmount;
  }

  /** One timer serves all batches and is not cleared between them: a timer for each batch would cost more than sending the batch. */
  #watch(wait: number = this.#limits.writeTimeout): void {
    if (this.#stallTimer !== undefined || this.#limits.writeTimeout === 0) return;
    this.#lastBacklog = this.#backlog;
    this.#stallDue = performance.now() + wait;
    this.#stallTimer = systemClock.setTimeout(this.#judge, wait);
  }

  readonly #judge = (): void => {
    this.#stallTimer = undefined;
    if (this.#callback === undefined) return;
    const now = performance.now();
    const limit = this.#limits.writeTimeout;
    const overslept = now - this.#stallDue > limit; // this process or machine was suspended; the peer is not to blame
    if (overslept || this.#backlog < this.#lastBacklog) this.#progressAt = now;
    const left = this.#progressAt + limit - now;
    if (left > 0) this.#watch(Math.ceil(left));
    else this.#onStall();
  };
}
