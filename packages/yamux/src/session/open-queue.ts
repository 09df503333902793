// Opens streams, and bounds those that the peer has not answered: hashicorp/yamux and go-yamux refuse the 257th. Further calls wait in
// order.

import type { Clock } from '../clock.ts';
import { idsUsedUp } from './endings.ts';
import type { ResolvedOptions } from './options.ts';
import { type Waiter, WaitingLine } from './waiting-line.ts';

/** ms after which an unanswered stream no longer counts: some peers answer only with their first data, hashicorp at times never. */
const PATIENCE = 10_000;

export class OpenQueue {
  readonly #clock: Clock;
  readonly #limit: number;
  /** The id of the next stream; undefined when all are used up. */
  readonly #takeId: () => number | undefined;
  readonly #line = new WaitingLine<number>();
  /** When each unanswered stream was opened, by id, oldest first. */
  readonly #openedAt = new Map<number, number>();
  #timer: unknown;
  #isExhausted = false;

  constructor({ clock, maxUnacknowledged }: ResolvedOptions, takeId: () => number | undefined) {
    this.#clock = clock;
    this.#limit = maxUnacknowledged;
    this.#takeId = takeId;
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

  /** `opener` gets the id of its stream, within this call if a slot is free; rejects with the signal's reason if it aborts first. */
  open(opener: Waiter<number>): void {
    if (opener.signal?.aborted) {
      opener.reject(opener.signal.reason);
    } else if (this.#isFull) {
      this.#watch();
      this.#line.enter(opener);
    } else {
      const id = this.#nextId();
      if (id === undefined) opener.reject(idsUsedUp());
      else opener.resolve(id);
    }
  }

  /** Removes `opener` without a call. */
  cancel(opener: Waiter<number>): void {
    this.#line.leave(opener);
  }

  /** The peer has answered the stream, or the stream has ended. */
  answered(id: number): void {
    if (this.#openedAt.delete(id)) this.#serve();
  }

  /** Rejects waiting calls; streams that are open continue. */
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

  #nextId(): number | undefined {
    const id = this.#takeId();
    if (id === undefined) this.#isExhausted = true;
    else this.#openedAt.set(id, this.#clock.now());
    return id;
  }

  #serve(): void {
    while (this.#line.length > 0 && !this.#isFull) {
      const id = this.#nextId();
      if (id === undefined) this.#line.failAll(idsUsedUp());
      else this.#line.serveFirst(id);
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
