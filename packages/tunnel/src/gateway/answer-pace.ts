// Checks that a client takes its response fast enough: a client that reads tiny pieces occupies an agent's stream as much as one that reads nothing. Only
// while more of the response waits than the client has taken: a slow response is not the client's fault.
import { TunnelError } from '../errors.ts';

/** The time in milliseconds, the rate in bytes a second; 0 is no limit. */
export interface AnswerLimits {
  readonly idleTimeout: number;
  readonly minAnswerRate: number;
}

/** The least milliseconds over which the rate is measured: the system takes a slow client's bytes in large steps. */
const WINDOW = 5_000;

export class AnswerPace {
  readonly #limits: AnswerLimits;
  /** Bytes at the start of the measurement; undefined while the client has taken everything. */
  #from: number | undefined;
  #fromAt = 0;
  #taken = 0;
  #takenAt = 0;

  constructor(limits: AnswerLimits) {
    this.#limits = limits;
  }

  /** The reason to end the exchange at `now`; undefined if there is none. `taken`: bytes so far; undefined while nothing waits. */
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
