// The facts of a finished request or TCP connection, for the log and the counters. One object, created at the beginning and filled in on the way.
import { randomUUID } from 'node:crypto';
import type { YamuxStream } from '@zishuo/yamux';
import { codeOf, describe } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Serving } from './routes.ts';

/** `refused`: answered by the gateway itself. `abandoned`: the client left. `cut`: it failed after the response had begun. */
export type Outcome = 'complete' | 'refused' | 'abandoned' | 'cut';

export interface ServedRequest {
  readonly requestId: string;
  readonly kind: 'http' | 'upgrade' | 'tcp';
  /** The route or the TCP service; undefined where there is none. */
  readonly service: string | undefined;
  /** The agent that served it, or failed to. */
  readonly agent: string | undefined;
  /** The gateway by way of which that agent was reached; undefined where it was this one. */
  readonly via: string | undefined;
  readonly outcome: Outcome;
  /** The HTTP status of the answer; undefined for TCP, and where none was sent. */
  readonly status: number | undefined;
  /** The code of the error where it is not complete. */
  readonly code: string | undefined;
  /** How many streams were opened for it. */
  readonly tries: number;
  readonly milliseconds: number;
  /** Carried to and from agents, HTTP heads included. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** Called once for each, at its end. */
export type ServedObserver = (served: ServedRequest) => void;

export class ServedRecord {
  readonly requestId: string = randomUUID();
  readonly #kind: ServedRequest['kind'];
  readonly startedAt: number = performance.now();
  #stream: YamuxStream | undefined;
  #tries = 0;
  #bytesUp = 0;
  #bytesDown = 0;
  #isEnded = false;
  service: string | undefined;
  agent: string | undefined;
  #via: string | undefined;

  constructor(kind: ServedRequest['kind']) {
    this.#kind = kind;
  }

  get tries(): number {
    return this.#tries;
  }

  opened(stream: YamuxStream, { claims, gateway }: Serving): void {
    this.#count();
    this.#stream = stream;
    this.#tries += 1;
    this.agent = claims.agent;
    this.#via = gateway;
  }

  /** The first end counts. */
  end(outcome: Outcome, status: number | undefined, error: unknown, log: Log, observer: ServedObserver): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#count();
    const served = {
      requestId: this.requestId,
      kind: this.#kind,
      service: this.service,
      agent: this.agent,
      via: this.#via,
      outcome,
      status,
      code: error === undefined ? undefined : codeOf(error, 'ERR_TUNNEL_FAILED'),
      tries: this.#tries,
      milliseconds: Math.round(performance.now() - this.startedAt),
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
    } satisfies ServedRequest;
    log('served', error === undefined ? served : { ...served, error: describe(error) });
    observer(served);
  }

  #count(): void {
    this.#bytesUp += this.#stream?.bytesWritten ?? 0;
    this.#bytesDown += this.#stream?.bytesRead ?? 0;
    this.#stream = undefined;
  }
}
