// Opens streams, and bounds those that the peer has not answered: hashicorp/yamux and go-yamux refuse the 257th. Further calls wait in
// order.

import type { Clock } from '../clock.ts';
import type { YamuxStream } from '../stream/stream.ts';
import { idsUsedUp } from './endings.ts';
import type { ResolvedOptions } from './options.ts';
import { WaitingLine } from './waiting-line.ts';

/** ms after which an unanswered stream no longer counts: some peers answer only with their first data, hashicorp at times never. */
const PATIENCE = 10_000;

export class OpenQueue {
  readonly #clock: Clock;
  readonly #limit: number;
  /** Makes a stream and queues its SYN; undefined when all ids are used up. */
  readonly #create: () => YamuxStream | undefined;
  readonly #line = new WaitingLine<YamuxStream>();
  /** When each unanswered stream was opened, by id, oldest first. */
  readonly #openedAt = new Map<number, number>();
  #timer: unknown;
  #isExhausted = false;

  constructor(options: ResolvedOptions, create: () => YamuxStream | undefined) {
    this.#clock = options.clock;
    this.#limit = options.maxUnacknowledged;
    this.#create = create;
  }

  /** Calls that wait for a slot. */
  get waiting(): number {
    return this.#line.length;
  }

  /** Streams that the peer has not answered, without those given up waiting for. */
  get unacknowledged(): number {
    return this.#openedAt.size;
  }

  /** No id is left. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  open(signal?: AbortSignal): Promise<YamuxStream> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#isFull) {
      this.#watch();
      return this.#line.wait(signal);
    }
    const stream = this.#openNow();
    return stream ? Promise.resolve(stream) : Promise.reject(idsUsedUp());
  }

  /** The peer answered the stream, or it is over. */
  answered(id: number): void {
    if (this.#openedAt.delete(id)) this.#serve();
  }

  /** Those who wait are refused; streams opened before go on. */
  failAll(error: Error): void {
    this.#line.failAll(error);
  }

  stop(error: Error): void {
    this.failAll(error);
    this.#clock.clearTimeout(this.#timer);
    this.#openedAt.clear();
  }

  get #isFull(): boolean {
    return this.#openedAt.size >= this.#limit;
  }

  #openNow(): YamuxStream | undefined {
    const stream = this.#create();
    if (stream) this.#openedAt.set(stream.id, this.#clock.now());
    else this.#isExhausted = true;
    return stream;
  }

  #serve(): void {
    while (this.#line.length > 0 && !this.#isFull) {
      const stream = this.#openNow();
      if (stream) this.#line.serveFirst(stream);
      else this.#line.failAll(idsUsedUp());
    }
    if (this.#line.length > 0) this.#watch();
  }

  /** Somebody waits: a slot is freed at the latest when the oldest stream has been unanswered for ten seconds. */
  #watch(): void {
    if (this.#timer !== undefined) return;
    for (const openedAt of this.#openedAt.values()) {
      this.#timer = this.#clock.setTimeout(this.#expire, Math.max(1, openedAt + PATIENCE - this.#clock.now()));
      return;
    }
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const [id, openedAt] of this.#openedAt) {
      if (openedAt + PATIENCE > now) break;
      this.#openedAt.delete(id);
    }
    this.#serve();
  };
}
