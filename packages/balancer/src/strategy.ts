// The contract between the pool and whoever chooses: candidates in, an index out.
import { checkMethods, checkOneOf } from './checks.ts';
import { InvalidStrategyError } from './errors.ts';
import type { RoutingContext } from './routing.ts';

/** Whom it sees may be picked: a strategy knows nothing of drains, caps or filters. */
export interface Strategy {
  readonly name: string;
  /**
   * The order that the pool keeps for this strategy: the first of it stands at index 0, everybody else anywhere.
   * `'least-recent'`: the candidate picked longest ago, one never picked before all others, in order of adding.
   * `'least-loaded'`: the lowest load, among equals the least recent. Default: no order.
   */
  readonly order?: CandidateOrder | undefined;
  /**
   * Returns the index of one candidate, at once. Called only when there is a candidate, and possibly more than once for
   * one open; being asked is not being picked, and `turn` and `load` tell who was.
   * Anything but a legal index becomes an {@link InvalidStrategyError}.
   */
  pick(candidates: CandidateView, routing: RoutingContext): number;
}

export type CandidateOrder = 'least-recent' | 'least-loaded';

/** Valid during one pick: indices change as soon as anything happens in the pool. */
export interface CandidateView {
  readonly length: number;
  at(index: number): Candidate | undefined;
}

/** One session as a strategy sees it. The same object for as long as the session is in the pool: a WeakMap key. */
export interface Candidate {
  readonly key: string;
  readonly id: string;
  readonly label: string | undefined;
  readonly weight: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly activeStreams: number;
  readonly pendingStreams: number;
  /** `activeStreams + pendingStreams`. */
  readonly load: number;
  /** Place in the rotation: whoever was picked longer ago has the lower one. */
  readonly turn: number;
  /** Round trip of the session in milliseconds, if it knows. */
  readonly rtt: number | undefined;
}

const ORDERS: readonly CandidateOrder[] = ['least-recent', 'least-loaded'];

const attached = new WeakSet<Strategy>();

/**
 * Ties a strategy to its one pool: two pools would mix up the state of one strategy.
 * @throws InvalidStrategyError (`ERR_YAMUX_POOL_INVALID_STRATEGY`)
 */
export function attach(strategy: Strategy): Strategy {
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
  return strategy;
}

/** Asks the strategy, and takes nothing but a legal index for an answer. */
export function choose(strategy: Strategy, candidates: CandidateView, routing: RoutingContext): number {
  const { length } = candidates;
  let index: unknown;
  try {
    index = strategy.pick(candidates, routing);
  } catch (cause) {
    throw new InvalidStrategyError(`Strategy '${strategy.name}' threw`, { cause });
  }
  if (Number.isInteger(index) && (index as number) >= 0 && (index as number) < length) return index as number;
  // An async strategy that also rejects must not take the process down with an unhandled rejection.
  if (index instanceof Promise) index.catch(() => {});
  const got = index instanceof Promise ? 'a promise' : String(index);
  throw new InvalidStrategyError(
    `Strategy '${strategy.name}' must return an index from 0 to ${length - 1}, and returned ${got}`,
  );
}
