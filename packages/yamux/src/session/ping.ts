// The one outstanding ping, shared by all callers, and the round trips that were measured. Pure: time is an argument.

/** ms. Of each span the least round trip is kept, and old spans are forgotten, so that a path that became longer is noticed. */
const SPAN = 30_000;
const REMEMBERED = 8;

export class Ping {
  #value = 0;
  #sentAt: number | undefined;
  readonly #least: number[] = [];
  #spanFrom = 0;
  #rtt: number | undefined;

  get isUnderWay(): boolean {
    return this.#sentAt !== undefined;
  }

  /** ms: the least of the recent round trips, since only waiting adds to the shortest; undefined before the first pong. */
  get rtt(): number | undefined {
    return this.#rtt;
  }

  /** A new ping is sent at `now`; returns the value that it carries. */
  begin(now: number): number {
    this.#value = (this.#value + 1) >>> 0;
    this.#sentAt = now;
    return this.#value;
  }

  /** A pong came. Its round trip in ms, or undefined if it answers no ping of ours: Go peers may answer late, or twice. */
  pong(value: number, now: number): number | undefined {
    if (this.#sentAt === undefined || value !== this.#value) return undefined;
    const roundTrip = now - this.#sentAt;
    this.#sentAt = undefined;
    this.#remember(roundTrip, now);
    return roundTrip;
  }

  #remember(roundTrip: number, now: number): void {
    const least = this.#least;
    if (least.length === 0 || now - this.#spanFrom >= SPAN) {
      this.#spanFrom = now;
      least.push(roundTrip);
      if (least.length > REMEMBERED) least.shift();
    } else {
      least.push(Math.min(roundTrip, least.pop() as number));
    }
    this.#rtt = Math.min(...least);
  }

  /** The ping under way is given up. */
  abandon(): void {
    this.#sentAt = undefined;
  }
}
