// Who gets an inbound stream: a waiting accept(), else the 'stream' listeners, else it waits in the backlog.

import type { YamuxStream } from '../stream/stream.ts';
import { throwOutside } from '../throw-outside.ts';
import type { HandOver } from './hand-over.ts';
import { WaitingLine } from './waiting-line.ts';

export interface AcceptPort {
  hasListeners(): boolean;
  /** Emits 'stream'. */
  emit(stream: YamuxStream): void;
  /** Sends the ACK: the application has it. */
  acknowledge(stream: YamuxStream): void;
}

export class AcceptQueue {
  readonly #limit: number;
  readonly #handOver: HandOver;
  readonly #port: AcceptPort;
  readonly #line = new WaitingLine<YamuxStream>();
  readonly #backlog = new Set<YamuxStream>();

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

  offer(stream: YamuxStream): void {
    if (this.#line.length > 0) {
      this.#handToPromise(stream);
      this.#line.serveFirst(stream);
    } else if (this.#port.hasListeners()) {
      this.#handToListeners(stream);
    } else {
      // Until somebody has it nobody could hear its end.
      stream.holdEvents();
      this.#backlog.add(stream);
    }
  }

  accept(signal?: AbortSignal): Promise<YamuxStream> {
    if (!signal?.aborted) {
      for (const stream of this.#backlog) {
        this.#backlog.delete(stream);
        this.#handToPromise(stream);
        return Promise.resolve(stream);
      }
    }
    return this.#line.wait(signal);
  }

  /** A 'stream' listener was added: it gets what waits. */
  drainToListeners(): void {
    for (const stream of this.#backlog) {
      if (!this.#port.hasListeners()) return;
      this.#backlog.delete(stream);
      this.#handToListeners(stream);
    }
  }

  /** A stream is over: if nobody had got it, nobody hears of it. */
  drop(stream: YamuxStream): void {
    this.#backlog.delete(stream);
  }

  /** Takes all that waits, to refuse it. */
  takeBacklog(): YamuxStream[] {
    const streams = [...this.#backlog];
    this.#backlog.clear();
    return streams;
  }

  failAll(error: Error): void {
    this.#line.failAll(error);
  }

  #handToPromise(stream: YamuxStream): void {
    this.#port.acknowledge(stream);
    this.#handOver.hold(stream);
  }

  #handToListeners(stream: YamuxStream): void {
    this.#port.acknowledge(stream);
    stream.releaseEvents();
    try {
      this.#port.emit(stream);
    } catch (error) {
      throwOutside(error);
    }
  }
}
