// Whether a client takes its answer fast enough. One that takes it in crumbs holds an agent's stream as well as one that takes nothing. Only while
// more of it waits than the client has taken: an answer that comes slowly is no fault of its client.
import { TunnelError } from '../errors.ts';

/** The time in milliseconds, the rate in bytes a second; 0 is no limit. */
export interface AnswerLimits {
  readonly idleTimeout: number;
  readonly minAnswerRate: number;
}

/** Milliseconds over which the rate is measured, or longer: the system takes a slow client's bytes in large steps. */
const WINDOW = 5_000;

export class AnswerPace {
  readonly #limits: AnswerLimits;
  /** Bytes at the beginning of the measure; undefined while the client takes all that there is. */
  #from: number | undefined;
  #fromAt = 0;
  #taken = 0;
  #takenAt = 0;

  constructor(limits: AnswerLimits) {
    this.#limits = limits;
  }

  /** Why it is given up at `now`, if it is. `taken`: bytes so far; undefined while nothing waits. */
  check(taken: number | undefined, now: number): TunnelError | undefined {
    const { idleTimeout, minAnswerRate } = this.#limits;
    if (taken === undefined || this.#from === undefined) {
      this.#begin(taken, now);
      return undefined;
    }
    if (taken === this.#taken) {
      if (idleTimeout === 0 || now - this.#takenAt < idleTimeout) return undefined;
      return new TunnelError('ERR_TUNNEL_IDLE_TIMEOUT', `the client took nothing of its answer for ${idleTimeout} ms`);
    }
    this.#taken = taken;
    this.#takenAt = now;
    const elapsed = now - this.#fromAt;
    if (elapsed < WINDOW) return undefined;
    const bytes = taken - this.#from;
    this.#begin(taken, now);
    if (bytes >= (minAnswerRate * elapsed) / 1_000) return undefined;
    const message = `the client took its answer at less than ${minAnswerRate} bytes a second`;
    return new TunnelError('ERR_TUNNEL_IDLE_TIMEOUT', message);
  }

  #begin(taken: number | undefined, now: number): void {
    this.#from = taken;
    this.#fromAt = now;
    this.#taken = taken ?? 0;
    this.#takenAt = now;
  }
}
