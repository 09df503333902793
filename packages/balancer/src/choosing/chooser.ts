// The strategy of one pool, behind a guard: nothing that it returns or throws reaches the pool's own state.
import { checkMethods, checkOneOf } from '../checks.ts';
import { InvalidStrategyError } from '../errors.ts';
import type { Hooks } from '../observe/hooks.ts';
import type { AffinityStats } from '../observe/stats.ts';
import type { RoutingContext } from '../routing.ts';
import { KeyOrder } from './key-order.ts';
import {
  type Candidate,
  type CandidateOrder,
  type CandidateView,
  isIndex,
  type Strategy,
  type StrategyContext,
} from './strategy.ts';

const ORDERS: readonly CandidateOrder[] = ['least-recent', 'least-loaded'];

const attached = new WeakSet<Strategy>();

/**
 * Ties a strategy to its one pool: two pools would mix up the state of one strategy.
 * @throws InvalidStrategyError (`ERR_YAMUX_POOL_INVALID_STRATEGY`)
 */
export function attach(strategy: Strategy, context: StrategyContext): void {
  try {
    checkMethods('strategy', strategy, ['pick']);
    if (strategy.order !== undefined) checkOneOf('strategy.order', strategy.order, ORDERS);
  } catch (cause) {
    throw new InvalidStrategyError((cause as Error).message);
  }
  if (attached.has(strategy)) {
    throw new InvalidStrategyError(`Strategy '${strategy.name}' belongs to another pool; make one for each`);
  }
  attached.add(strategy);
  try {
    strategy.attach?.(context);
  } catch (cause) {
    if (cause instanceof InvalidStrategyError) throw cause;
    throw new InvalidStrategyError(`Strategy '${strategy.name}' threw in attach()`, { cause });
  }
}

export class Chooser {
  readonly #strategy: Strategy;
  readonly #hooks: Hooks;
  readonly #keyOrder = new KeyOrder();

  /** @throws InvalidStrategyError */
  constructor(strategy: Strategy, context: StrategyContext, hooks: Hooks) {
    attach(strategy, context);
    this.#strategy = strategy;
    this.#hooks = hooks;
  }

  get name(): string {
    return this.#strategy.name;
  }

  get order(): CandidateOrder | undefined {
    return this.#strategy.order;
  }

  /**
   * Undefined if the strategy has called back into the pool and changed what it was choosing from.
   * @throws InvalidStrategyError for anything but a legal index.
   */
  pick(candidates: CandidateView, routing: RoutingContext): number | undefined {
    const strategy = this.#strategy;
    const { length } = candidates;
    let index: unknown;
    const { orderedBy } = routing;
    if (orderedBy) return this.#keyOrder.first(orderedBy, candidates);
    try {
      index = strategy.pick(candidates, routing);
    } catch (cause) {
      throw new InvalidStrategyError(`Strategy '${strategy.name}' threw`, { cause });
    }
    if (isIndex(index, candidates)) return index;
    if (isIndex(index, { length })) return undefined;
    // An async strategy that also rejects must not take the process down with an unhandled rejection.
    if (index instanceof Promise) index.catch(() => {});
    const got = index instanceof Promise ? 'a promise' : String(index);
    throw new InvalidStrategyError(
      `Strategy '${strategy.name}' must return an index from 0 to ${length - 1}, and returned ${got}`,
    );
  }

  /** `matching` are those that satisfy the constraints, asked for only if somebody needs them. */
  boundTo(routing: RoutingContext, matching: () => readonly Candidate[]): Candidate | undefined {
    const strategy = this.#strategy;
    if (routing.orderedBy) {
      const sessions = matching();
      return sessions.length === 0 ? undefined : sessions[this.#keyOrder.first(routing.orderedBy, sessions)];
    }
    if (strategy.boundTo === undefined) return undefined;
    return this.#hooks.guard('strategy.boundTo', () => strategy.boundTo?.(routing, matching())) ?? undefined;
  }

  added(candidate: Candidate): void {
    this.#tell('added', candidate);
  }

  updated(candidate: Candidate): void {
    this.#tell('updated', candidate);
  }

  removed(candidate: Candidate): void {
    this.#tell('removed', candidate);
  }

  opened(candidate: Candidate, routing: RoutingContext): void {
    if (this.#strategy.opened === undefined) return;
    this.#hooks.guard('strategy.opened', () => this.#strategy.opened?.(candidate, routing));
  }

  failed(candidate: Candidate, routing: RoutingContext, isFault: boolean): void {
    if (this.#strategy.failed === undefined) return;
    this.#hooks.guard('strategy.failed', () => this.#strategy.failed?.(candidate, routing, isFault));
  }

  /** The strategy wants to know how quick answers are. */
  get isTimed(): boolean {
    return this.#strategy.answered !== undefined;
  }

  unanswered(candidate: Candidate, ms: number): void {
    if (this.#strategy.unanswered === undefined) return;
    this.#hooks.guard('strategy.unanswered', () => this.#strategy.unanswered?.(candidate, ms));
  }

  answered(candidate: Candidate, ms: number): void {
    this.#hooks.guard('strategy.answered', () => this.#strategy.answered?.(candidate, ms));
  }

  affinityStats(): AffinityStats | undefined {
    return this.#hooks.guard('strategy.affinityStats', () => this.#strategy.affinityStats?.());
  }

  #tell(method: 'added' | 'updated' | 'removed', candidate: Candidate): void {
    if (this.#strategy[method] === undefined) return;
    this.#hooks.guard(`strategy.${method}`, () => this.#strategy[method]?.(candidate));
  }
}
