import { InvalidStrategyError } from '../../errors.ts';
import type { Strategy } from '../strategy.ts';
import { type AffinityOptions, affinity } from './affinity.ts';
import { leastConn } from './least-conn.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { weighted } from './weighted.ts';

/** The built-in strategies by name, so that configuration can name one. */
export const StrategyName = {
  /** {@link roundRobin} */
  RoundRobin: 'round-robin',
  /** {@link random} */
  Random: 'random',
  /** {@link weighted} */
  Weighted: 'weighted',
  /** {@link leastConn} */
  LeastConn: 'least-conn',
  /** {@link affinity} */
  Affinity: 'affinity',
} as const;

export type StrategyName = (typeof StrategyName)[keyof typeof StrategyName];

const makers: ReadonlyMap<string, () => Strategy> = new Map([
  [StrategyName.RoundRobin, roundRobin],
  [StrategyName.Random, random],
  [StrategyName.Weighted, weighted],
  [StrategyName.LeastConn, leastConn],
]);

/**
 * A new strategy by its name. Only affinity has options.
 * @throws InvalidStrategyError (`ERR_YAMUX_POOL_INVALID_STRATEGY`) if there is none of that name, or it has no such option;
 * RangeError or TypeError for a wrong value.
 */
export function createStrategy(name: typeof StrategyName.Affinity, options?: AffinityOptions): Strategy;
export function createStrategy(name: StrategyName): Strategy;
export function createStrategy(name: StrategyName, options: AffinityOptions = {}): Strategy {
  if (name === StrategyName.Affinity) return affinity(options);
  const make = makers.get(name);
  if (make === undefined) {
    const names = Object.values(StrategyName).join(', ');
    throw new InvalidStrategyError(`Expected the name of a strategy (${names}), got ${String(name)}`);
  }
  const [option] = Object.keys(options);
  if (option !== undefined) throw new InvalidStrategyError(`Strategy '${name}' has no option '${option}'`);
  return make();
}

/**
 * {@link createStrategy} by the name that the Go package has for trusted configuration; both throw.
 * @alias
 */
export const mustStrategy: typeof createStrategy = createStrategy;
