// Who is bound to whom in the naive pool.
import type { ManualClock } from '../../src/testing.ts';
import type { ModelSession } from './model-session.ts';

export const TTL = 50;
export const MAX_BINDINGS = 3;

interface ModelBinding {
  readonly key: string;
  readonly session: ModelSession;
  confirmed: boolean;
  expiresAt: number;
}

/** Who is bound to whom, least recently used first. */
export class ModelBindings {
  #bindings: ModelBinding[] = [];
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  get alive(): ModelBinding[] {
    this.#bindings = this.#bindings.filter(({ expiresAt }) => this.#clock.now() < expiresAt);
    return this.#bindings;
  }

  of(key: string | undefined): ModelBinding | undefined {
    return this.alive.find((binding) => binding.key === key);
  }

  bind(key: string, session: ModelSession, confirmed: boolean): void {
    const others = this.alive.filter((binding) => binding.key !== key);
    this.#bindings = [...others, { key, session, confirmed, expiresAt: this.#clock.now() + TTL }].slice(-MAX_BINDINGS);
  }

  drop(doomed: (binding: ModelBinding) => boolean): void {
    this.#bindings = this.alive.filter((binding) => !doomed(binding));
  }
}
