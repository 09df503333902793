// The sending half of a byte stream: one batch of chunks at a time becomes messages, and completes when they have left.
// Detects a stall. Knows no Duplex and never ends the socket itself.
import { systemClock } from '@zishuo/yamux';
import { eachMessage } from './message-batch.ts';
import type { MessageSocket } from './message-socket.ts';
import type { ResolvedStreamOptions } from './options.ts';

type WriteCallback = (error?: Error | null) => void;

/** How often `bufferedAmount` is checked while it is too high, for sockets that report nothing else. */
const POLL_MS = 5;

export class MessageSender {
  readonly #socket: MessageSocket;
  readonly #limits: ResolvedStreamOptions;
  /** Called at most once, when nothing left for `writeTimeout`. */
  readonly #onStall: () => void;

  /** Of the batch in flight. */
  #callback: WriteCallback | undefined;
  /** A batch that waits for the socket to open. */
  #held: readonly Uint8Array[] | undefined;
  /** Messages whose `sent` has not come. */
  #unsent = 0;
  #closedBy: Error | undefined;

  #pollTimer: unknown;
  #stallTimer: unknown;
  #stallDue = 0;
  #progressAt = 0;
  /** What waited of the batch at the last check: less now is progress, even if no message is through yet. */
  #lastBacklog = 0;

  constructor(socket: MessageSocket, limits: ResolvedStreamOptions, onStall: () => void) {
    this.#socket = socket;
    this.#limits = limits;
    this.#onStall = onStall;
  }

  /** One batch at a time: not before the callback of the one before. */
  send(chunks: readonly Uint8Array[], callback: WriteCallback): void {
    if (this.#closedBy !== undefined) {
      callback(this.#closedBy);
      return;
    }
    this.#callback = callback;
    if (this.#socket.state === 'connecting') this.#held = chunks;
    else this.#dispatch(chunks);
  }

  /** The socket is open. */
  opened(): void {
    const chunks = this.#held;
    this.#held = undefined;
    if (chunks !== undefined) this.#dispatch(chunks);
  }

  /** Nothing is sent any more: the batch in flight and every later one fail with this error. */
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
    this.#unsent = 1; // ours, until all are handed over: a driver may call `sent` at once
    this.#progressAt = performance.now();
    this.#watch();
    // All messages of the batch in one system call: `ws` makes one for each.
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

  // A failed send completes nothing: the socket's end follows with the reason, or the stall is detected.
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

  /** One timer for all batches, never cleared in between: arming one per batch costs more than sending it. */
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
    const overslept = now - this.#stallDue > limit; // the process or the machine slept, not the peer
    if (overslept || this.#backlog < this.#lastBacklog) this.#progressAt = now;
    const left = this.#progressAt + limit - now;
    if (left > 0) this.#watch(Math.ceil(left));
    else this.#onStall();
  };
}
