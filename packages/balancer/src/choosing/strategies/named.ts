import { InvalidStrategyError } from '../../errors.ts';
import type { SlowStartOptions } from '../slow-start.ts';
import type { Strategy } from '../strategy.ts';
import { type AffinityOptions, affinity } from './affinity.ts';
import { leastConn } from './least-conn.ts';
import { type PeakEwmaOptions, peakEwma } from './peak-ewma.ts';
import { random } from './random.ts';
import { type RendezvousOptions, rendezvous } from './rendezvous.ts';
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
  /** {@link rendezvous} */
  Rendezvous: 'rendezvous',
  /** {@link peakEwma} */
  PeakEwma: 'peak-ewma',
} as const;

export type StrategyName = (typeof StrategyName)[keyof typeof StrategyName];

/** The options of each strategy that has any. */
export interface StrategyOptions {
  /** Of {@link weighted}. */
  readonly weighted: SlowStartOptions;
  /** Of {@link leastConn}. */
  readonly 'least-conn': SlowStartOptions;
  /** Of {@link affinity}. */
  readonly affinity: AffinityOptions;
  /** Of {@link rendezvous}. */
  readonly rendezvous: RendezvousOptions;
  /** Of {@link peakEwma}. */
  readonly 'peak-ewma': PeakEwmaOptions;
}

const makers: { readonly [Name in keyof StrategyOptions]: (options?: StrategyOptions[Name]) => Strategy } = {
  weighted,
  'least-conn': leastConn,
  affinity,
  rendezvous,
  'peak-ewma': peakEwma,
};
const makersWithoutOptions = { 'round-robin': roundRobin, random };

/**
 * A new strategy by its name, with the options of that strategy.
 * @throws InvalidStrategyError (`ERR_YAMUX_POOL_INVALID_STRATEGY`) if there is none of that name, or it has no options;
 * RangeError or TypeError for a wrong option.
 */
export function createStrategy<Name extends keyof StrategyOptions>(
  name: Name,
  options?: StrategyOptions[Name],
): Strategy;
export function createStrategy(name: StrategyName): Strategy;
export function createStrategy(name: StrategyName, options?: object): Strategy {
  if (Object.hasOwn(makers, name))
    return (makers[name as keyof StrategyOptions] as (options?: object) => Strategy)(options);
  if (!Object.hasOwn(makersWithoutOptions, name)) {
    const names = Object.values(StrategyName).join(', ');
    throw new InvalidStrategyError(`Expected the name of a strategy (${names}), got ${String(name)}`);
  }
  const [option] = Object.keys(options ?? {});
  if (option !== undefined) throw new InvalidStrategyError(`Strategy '${name}' has no option '${option}'`);
  return makersWithoutOptions[name as keyof typeof makersWithoutOptions]();
}

/**
 * {@link createStrategy} by the name that the Go package has for trusted configuration; both throw.
 * @alias
 */
export const mustStrategy: typeof createStrategy = createStrategy;
