import { InvalidStrategyError } from '../errors.ts';
import type { Strategy } from '../strategy.ts';
import { leastConn } from './least-conn.ts';
import { roundRobin } from './round-robin.ts';

/** The built-in strategies by name, so that configuration can name one. */
export const StrategyName = {
  RoundRobin: 'round-robin',
  LeastConn: 'least-conn',
} as const;

export type StrategyName = (typeof StrategyName)[keyof typeof StrategyName];

const makers: ReadonlyMap<string, () => Strategy> = new Map([
  [StrategyName.RoundRobin, roundRobin],
  [StrategyName.LeastConn, leastConn],
]);

/**
 * A new strategy by its name.
 * @throws InvalidStrategyError (`ERR_YAMUX_POOL_INVALID_STRATEGY`) if there is none of that name.
 */
export function createStrategy(name: StrategyName): Strategy {
  const make = makers.get(name);
  if (make === undefined) {
    throw new InvalidStrategyError(`Expected a strategy named ${[...makers.keys()].join(' or ')}, got ${String(name)}`);
  }
  return make();
}
