// Whether requests should be sent to this gateway, for who stands in front and asks. One that has just started knows no route until its
// agents are back, and would answer 404 for all of them.

export type ReadinessState = 'waiting' | 'serving' | 'draining';

export class Readiness {
  readonly #needed: number;
  #sessions = 0;
  #state: ReadinessState;

  /** `needed`: how many agents' sessions must be there at once before the gateway is ready for the first time; 0 for none. */
  constructor(needed: number) {
    this.#needed = needed;
    this.#state = needed === 0 ? 'serving' : 'waiting';
  }

  get state(): ReadinessState {
    return this.#state;
  }

  /** For people; undefined while it serves. */
  get reason(): string | undefined {
    if (this.#state === 'serving') return undefined;
    if (this.#state === 'draining') return 'the gateway was asked to stop';
    return `${this.#sessions} of the ${this.#needed} sessions that are waited for have joined`;
  }

  /** A latch: that agents leave again is for each route to say, and no reason to take the gateway from all. */
  sessions(count: number): void {
    this.#sessions = count;
    if (this.#state === 'waiting' && count >= this.#needed) this.#state = 'serving';
  }

  /** For good. */
  drain(): void {
    this.#state = 'draining';
  }
}
