// Sticky routing without memory: the key itself says which session is its own, on every gateway the same.
import { checkOptions } from '../../checks.ts';
import { InvalidStrategyError } from '../../errors.ts';
import type { RoutingContext } from '../../routing.ts';
import { keyOf, kindOfKey } from '../affinity-key.ts';
import { attach } from '../chooser.ts';
import { KeyOrder } from '../key-order.ts';
import type { Candidate, CandidateOrder, CandidateView, Strategy, StrategyContext } from '../strategy.ts';
import { roundRobin } from './round-robin.ts';

/** Of {@link rendezvous}. */
export interface RendezvousOptions {
  /**
   * How many times its fair share of all streams a session may have before a key spills to the next in its order; at least 1. 1.25 to 2
   * keep a key that is much busier than others from its one session.
   * @defaultValue Infinity
   */
  readonly maxLoadFactor?: number | undefined;
  /**
   * The strategy for an open without a key.
   * @defaultValue roundRobin()
   */
  readonly fallback?: Strategy | undefined;
}

const NAME = 'rendezvous';

class Rendezvous implements Strategy {
  readonly name = NAME;
  readonly answered: ((candidate: Candidate, ms: number) => void) | undefined;
  readonly unanswered: ((candidate: Candidate, ms: number) => void) | undefined;
  readonly #maxLoadFactor: number;
  readonly #fallback: Strategy;
  readonly #order = new KeyOrder();

  constructor(maxLoadFactor: number, fallback: Strategy) {
    this.#maxLoadFactor = maxLoadFactor;
    this.#fallback = fallback;
    if (fallback.answered !== undefined) {
      this.answered = (candidate, ms) => fallback.answered?.(candidate, ms);
      this.unanswered = (candidate, ms) => fallback.unanswered?.(candidate, ms);
    }
  }

  get order(): CandidateOrder | undefined {
    return this.#fallback.order;
  }

  attach(context: StrategyContext): void {
    attach(this.#fallback, context);
  }

  pick(candidates: CandidateView, routing: RoutingContext): number {
    const key = keyIn(routing);
    if (key === undefined) return this.#fallback.pick(candidates, routing);
    return this.#order.first(key, candidates, this.#maxLoadFactor);
  }

  boundTo(routing: RoutingContext, sessions: CandidateView): Candidate | undefined {
    const key = keyIn(routing);
    return key === undefined || sessions.length === 0 ? undefined : sessions.at(this.#order.first(key, sessions));
  }

  added(candidate: Candidate): void {
    this.#fallback.added?.(candidate);
  }

  updated(candidate: Candidate): void {
    this.#fallback.updated?.(candidate);
  }

  removed(candidate: Candidate): void {
    this.#fallback.removed?.(candidate);
  }

  opened(candidate: Candidate, routing: RoutingContext): void {
    this.#fallback.opened?.(candidate, routing);
  }

  failed(candidate: Candidate, routing: RoutingContext, isFault: boolean): void {
    this.#fallback.failed?.(candidate, routing, isFault);
  }
}

/** Of its own kind: a tenant named like an address is not that address. */
function keyIn(routing: RoutingContext): string | undefined {
  const kind = kindOfKey(routing);
  if (kind === undefined) return undefined;
  return kind === 'affinityKey' ? keyOf(kind, routing) : `ip:${keyOf(kind, routing)}`;
}

/**
 * The session that is first in the order of the open's `affinityKey`, or else of its `sourceIp`: the same on every gateway that has the same
 * ids and weights, without a table. One that leaves moves its own keys alone; one that is full or unhealthy passes each of its keys to the
 * next in that key's order. Give sessions an `id`, which is what the order is made of; sessions of one id share its keys. Looks at every
 * candidate at every pick.
 * @throws RangeError for a factor below 1; TypeError for an unknown option; InvalidStrategyError (`ERR_YAMUX_POOL_INVALID_STRATEGY`) if the
 * fallback is rendezvous.
 */
export function rendezvous(options: RendezvousOptions = {}): Strategy {
  checkOptions(NAME, options, ['maxLoadFactor', 'fallback']);
  const { maxLoadFactor = Infinity, fallback = roundRobin() } = options;
  if (!(maxLoadFactor >= 1)) throw new RangeError(`Expected maxLoadFactor to be at least 1, got ${maxLoadFactor}`);
  if (fallback.name === NAME) throw new InvalidStrategyError('The fallback of rendezvous cannot be rendezvous');
  return new Rendezvous(maxLoadFactor, fallback);
}
