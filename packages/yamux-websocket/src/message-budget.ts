// A rate limit of received messages, shared by all streams that are given the same object. Messages above it are not refused, but read later.
import { type Clock, systemClock } from '@zishuo/yamux';

/** A stream that can stop reading its socket. */
export interface Holdable {
  hold(): void;
  release(): void;
}

/**
 * Limits how many messages, pings and pongs a group of byte streams receives in a second: all streams with this object as their
 * `messageBudget`. So one of many users cannot keep a process busy with messages that carry no data. Above the limit no socket of the group is
 * read until enough time has passed; nothing is lost. A burst may have the messages of one second. An empty message, a ping and a pong count as
 * ten messages each.
 *
 * A WHATWG socket cannot be paused: its messages count, but it is not limited.
 */
export class MessageBudget {
  /** The limit, in messages a second. */
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

  /** How many messages were counted since the start. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether the limit is exceeded now, and the sockets are not read. */
  get isUsedUp(): boolean {
    return this.#timer !== undefined;
  }

  /** Counts `messages` more. Call it for other work of a user that the sockets do not count. */
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

/** How many messages an empty message, a ping or a pong counts as. They carry no data, and are the cheapest to send. */
export const IDLE_MESSAGE = 10;
const LONGEST_WAIT = 60_000;
