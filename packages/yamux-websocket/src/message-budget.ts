// How many messages streams may receive, for all together that are given the same object. What is above it is not refused: it is read later.
import { type Clock, systemClock } from '@zishuo/yamux';

/** Whose socket stops reading meanwhile. */
export interface Holdable {
  hold(): void;
  release(): void;
}

/**
 * Bounds how many messages, pings and pongs all byte streams together receive in a second that have it as their `messageBudget`, so that one
 * of many users cannot keep a process busy with messages that carry nothing. Above it the sockets of all of them are not read until it is made
 * up for; nothing is lost. As many as for a second may come at once. An empty message, a ping and a pong count as ten.
 *
 * A WHATWG socket cannot be held: what it receives counts, and is not bounded.
 */
export class MessageBudget {
  /** Messages. */
  readonly perSecond: number;
  readonly #clock: Clock;
  readonly #members = new Set<Holdable>();
  #left: number;
  #at: number;
  #taken = 0;
  #timer: unknown;

  /**
   * A budget of `perSecond` messages; Infinity sets no bound. `clock` is for tests.
   *
   * @throws {RangeError} if `perSecond` is not a number above 0.
   */
  constructor(perSecond: number, clock: Clock = systemClock) {
    if (!(perSecond > 0)) throw new RangeError(`Expected a MessageBudget of more than 0 a second, got ${perSecond}`);
    this.perSecond = perSecond;
    this.#clock = clock;
    this.#left = perSecond;
    this.#at = clock.now();
  }

  /** All that was taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether the sockets are not read now. */
  get isUsedUp(): boolean {
    return this.#timer !== undefined;
  }

  /** Counts so many messages; for whoever knows of more than comes by the sockets. */
  take(messages: number): void {
    this.#taken += messages;
    this.#earn();
    this.#left -= messages;
    if (this.#left >= 0 || this.isUsedUp) return;
    for (const member of this.#members) member.hold();
    this.#wait();
  }

  #earn(): void {
    const now = this.#clock.now();
    this.#left = Math.min(this.#left + ((now - this.#at) / 1_000) * this.perSecond, this.perSecond);
    this.#at = now;
  }

  #wait(): void {
    const ms = Math.min(Math.ceil((-this.#left / this.perSecond) * 1_000), LONGEST_WAIT);
    this.#timer = this.#clock.setTimeout(() => {
      this.#earn();
      if (this.#left < 0) {
        this.#wait();
        return;
      }
      this.#timer = undefined;
      for (const member of this.#members) member.release();
    }, ms);
  }

  /** @internal */
  join(member: Holdable): void {
    this.#members.add(member);
    if (this.isUsedUp) member.hold();
  }

  /** @internal */
  leave(member: Holdable): void {
    this.#members.delete(member);
  }
}

/** What carries nothing costs its sender least. */
export const IDLE_MESSAGE = 10;
const LONGEST_WAIT = 60_000;
