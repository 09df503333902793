// The progress of an exchange: bytes of the body, bytes of the response, and any byte. It is checked from time to time, and has no timer.
import { TunnelError } from '../errors.ts';
import { type AnswerLimits, AnswerPace } from './answer-pace.ts';
import { BodyPace, type PaceLimits } from './body-pace.ts';
import type { ClientAnswer } from './client-answer.ts';
import type { RequestBody } from './request-body.ts';

export class ExchangePace {
  readonly #idleTimeout: number;
  readonly #body: BodyPace;
  readonly #answer: AnswerPace;
  #unwritten = 0;
  #movedAt: number;

  constructor(limits: PaceLimits & AnswerLimits, now: number) {
    this.#idleTimeout = limits.idleTimeout;
    this.#body = new BodyPace(limits, now);
    this.#answer = new AnswerPace(limits);
    this.#movedAt = now;
  }

  /** A byte moved that is not part of the body. */
  moved(now: number): void {
    this.#movedAt = now;
  }

  /** The reason to end the exchange at `now`; undefined if there is none. */
  check(body: RequestBody | undefined, answer: ClientAnswer, now: number): TunnelError | undefined {
    const slow = body === undefined ? undefined : this.#body.check(body, answer.isBegun, now);
    return slow ?? this.#answer.check(answer.taken, now) ?? this.#checkIdle(body, answer.unwritten, now);
  }

  #checkIdle(body: RequestBody | undefined, unwritten: number, now: number): TunnelError | undefined {
    const idleTimeout = this.#idleTimeout;
    // The bytes that wait for the client decrease while it takes some.
    if (unwritten !== this.#unwritten) this.#movedAt = now;
    this.#unwritten = unwritten;
    const movedAt = Math.max(this.#movedAt, body?.movedAt ?? 0);
    if (idleTimeout === 0 || now - movedAt < idleTimeout) return undefined;
    return body?.isAwaited === true
      ? new TunnelError('ERR_TUNNEL_BODY_TIMEOUT', `the client sent nothing of its body for ${idleTimeout} ms`)
      : new TunnelError('ERR_TUNNEL_IDLE_TIMEOUT', `no byte moved for ${idleTimeout} ms`);
  }
}
