// Gives an inbound stream to a waiting accept(), else to the 'stream' listeners, else to the backlog.

import type { YamuxStream } from '../duplex/yamux-stream.ts';
import type { WireStream } from '../stream/wire-stream.ts';
import { throwOutside } from '../throw-outside.ts';
import type { HandOver } from './hand-over.ts';
import { WaitingLine } from './waiting-line.ts';

export interface AcceptPort {
  hasListeners(): boolean;
  /** Emits 'stream'. */
  emit(stream: YamuxStream): void;
  /** Creates the Duplex for the application. */
  take(stream: WireStream): YamuxStream;
  /** The application has got the stream: sends the ACK and informs diagnostics listeners, which may end the session within the call. */
  taken(stream: WireStream): void;
}

export class AcceptQueue {
  readonly #limit: number;
  readonly #handOver: HandOver;
  readonly #port: AcceptPort;
  readonly #line = new WaitingLine<YamuxStream>();
  readonly #backlog = new Set<WireStream>();

  constructor(limit: number, handOver: HandOver, port: AcceptPort) {
    this.#limit = limit;
    this.#handOver = handOver;
    this.#port = port;
  }

  get backlog(): number {
    return this.#backlog.size;
  }

  /** Whether one more stream has to be refused. */
  get isFull(): boolean {
    if (this.#limit === 0) return true;
    return this.#backlog.size >= this.#limit && !this.#port.hasListeners();
  }

  offer(stream: WireStream): void {
    if (this.#line.length > 0) this.#handToFirst(stream);
    else if (this.#port.hasListeners()) this.#handToListeners(stream);
    else this.#backlog.add(stream);
  }

  accept(signal?: AbortSignal): Promise<YamuxStream> {
    if (!signal?.aborted) {
      for (const stream of this.#backlog) {
        this.#backlog.delete(stream);
        const accepted = this.#forPromise(stream);
        this.#port.taken(stream);
        return Promise.resolve(accepted);
      }
    }
    return this.#line.wait(signal);
  }

  /** A 'stream' listener was added: it gets the waiting streams. */
  drainToListeners(): void {
    for (const stream of this.#backlog) {
      if (!this.#port.hasListeners()) return;
      this.#backlog.delete(stream);
      this.#handToListeners(stream);
    }
  }

  /** A stream has ended. If the application had not got it yet, it never will. */
  drop(stream: WireStream): void {
    this.#backlog.delete(stream);
  }

  /** Removes all waiting streams, to refuse them. */
  takeBacklog(): WireStream[] {
    const streams = [...this.#backlog];
    this.#backlog.clear();
    return streams;
  }

  failAll(error: Error): void {
    this.#line.failAll(error);
  }

  #handToFirst(wire: WireStream): void {
    this.#line.serveFirst(this.#forPromise(wire));
    this.#port.taken(wire);
  }

  #forPromise(wire: WireStream): YamuxStream {
    const stream = this.#port.take(wire);
    this.#handOver.hold(stream);
    return stream;
  }

  #handToListeners(wire: WireStream): void {
    const stream = this.#port.take(wire);
    this.#port.taken(wire);
    try {
      this.#port.emit(stream);
    } catch (error) {
      throwOutside(error);
    }
    // What came before, now that somebody can listen.
    stream.start();
  }
}
