// How a session that has just joined, or recovered, comes to its share: in a ramp, so that its caches warm up and its peer is not met by all that
// the others have too much of. Costs nothing while nobody ramps.
import { checkDelay } from '../checks.ts';
import type { Candidate, StrategyContext } from './strategy.ts';

/** Even at its first moment a session gets a tenth of its share: less is none where there is little traffic. */
const LEAST_SHARE = 0.1;

export class SlowStart {
  readonly #ms: number;
  #context: StrategyContext | undefined;
  /** When the last of the ramps ends. */
  #until = Number.NEGATIVE_INFINITY;

  /** Milliseconds from joining to the full share; 0: at once. */
  constructor(ms = 0) {
    checkDelay('slowStart', ms);
    this.#ms = ms;
  }

  attach(context: StrategyContext): void {
    this.#context = context;
  }

  /** The session has joined, or may have recovered. */
  note({ readySince }: Candidate): void {
    if (this.#ms > 0) this.#until = Math.max(this.#until, readySince + this.#ms);
  }

  /** The time to ask for shares with, while any session ramps; undefined otherwise. */
  get now(): number | undefined {
    if (this.#ms === 0) return undefined;
    const now = this.#context?.now() ?? 0;
    return now < this.#until ? now : undefined;
  }

  /** From a tenth to 1: what the session gets of its share now. */
  share({ readySince }: Candidate, now: number): number {
    return Math.min(1, Math.max(LEAST_SHARE, (now - readySince) / this.#ms));
  }
}

/** Of the strategies that know a slow start. */
export interface SlowStartOptions {
  /**
   * Milliseconds in which a session that has just joined, or recovered, comes to its full share, from a tenth of it; 0: at once.
   * @defaultValue 0
   */
  readonly slowStart?: number | undefined;
}
