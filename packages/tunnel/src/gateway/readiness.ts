// The readiness of this gateway, for a load balancer in front of it. A gateway that has just started knows no routes until its agents are back, and
// would answer 404 to every request.

export type ReadinessState = 'waiting' | 'serving' | 'draining';

export class Readiness {
  readonly #needed: number;
  #sessions = 0;
  #state: ReadinessState;

  /** `needed`: the number of agents' sessions that must be connected at once before the gateway is ready for the first time; 0 for none. */
  constructor(needed: number) {
    this.#needed = needed;
    this.#state = needed === 0 ? 'serving' : 'waiting';
  }

  get state(): ReadinessState {
    return this.#state;
  }

  /** A readable reason; undefined while it serves. */
  get reason(): string | undefined {
    if (this.#state === 'serving') return undefined;
    if (this.#state === 'draining') return 'the gateway was asked to stop';
    return `${this.#sessions} of the ${this.#needed} sessions that are waited for have joined`;
  }

  /** A latch: once ready, the gateway stays ready. If agents leave, only their routes fail. */
  sessions(count: number): void {
    this.#sessions = count;
    if (this.#state === 'waiting' && count >= this.#needed) this.#state = 'serving';
  }

  /** For good. */
  drain(): void {
    this.#state = 'draining';
  }
}
