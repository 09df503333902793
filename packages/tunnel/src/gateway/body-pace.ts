// Checks that the body of a request comes fast enough: a body in tiny pieces occupies a stream as much as one that has stopped. Only until the response
// begins: after that both may be a conversation.
import { TunnelError } from '../errors.ts';
import type { RequestBody } from './request-body.ts';

/** Times in milliseconds, the rate in bytes a second; 0 is no limit. */
export interface PaceLimits {
  readonly bodyTimeout: number;
  readonly minBodyRate: number;
}

/** Milliseconds over which the rate is measured. */
const WINDOW = 5_000;

export class BodyPace {
  readonly #limits: PaceLimits;
  readonly #startedAt: number;
  #from: number;
  #bytes = 0;
  /** Bytes above the required rate, at most those of one measurement: a link that stalls for a while affects two measurements. */
  #ahead = 0;

  constructor(limits: PaceLimits, now: number) {
    this.#limits = limits;
    this.#startedAt = now;
    this.#from = now;
  }

  /** The reason to end the exchange at `now`; undefined if there is none. */
  check(body: Pick<RequestBody, 'isAwaited' | 'received'>, isAnswered: boolean, now: number): TunnelError | undefined {
    const { bodyTimeout, minBodyRate } = this.#limits;
    const bytes = body.received - this.#bytes;
    const elapsed = now - this.#from;
    if (!body.isAwaited || isAnswered) {
      this.#begin(body, now);
      return undefined;
    }
    if (bodyTimeout > 0 && now - this.#startedAt >= bodyTimeout) {
      return new TunnelError('ERR_TUNNEL_BODY_TIMEOUT', `the body did not come within ${bodyTimeout} ms`);
    }
    if (elapsed < WINDOW) return undefined;
    this.#begin(body, now);
    // The idle timeout handles a body that has stopped completely.
    if (bytes === 0) return undefined;
    const owed = (minBodyRate * elapsed) / 1_000;
    this.#ahead = Math.min(this.#ahead + bytes - owed, owed);
    if (this.#ahead >= 0) return undefined;
    return new TunnelError('ERR_TUNNEL_BODY_TIMEOUT', `the body came at less than ${minBodyRate} bytes a second`);
  }

  #begin(body: Pick<RequestBody, 'received'>, now: number): void {
    this.#from = now;
    this.#bytes = body.received;
  }
}
