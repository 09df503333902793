// The strategy that spreads requests over the sessions of their route, if affinity does not decide.
import { StrategyName } from '@zishuo/yamux-balancer';

export type Balance = Exclude<StrategyName, typeof StrategyName.Affinity>;

const CHOICES: readonly Balance[] = [
  // The default: requests through a tunnel differ too much in duration for round-robin.
  StrategyName.LeastConn,
  StrategyName.Weighted,
  StrategyName.RoundRobin,
  StrategyName.Random,
];

/** @throws TypeError for anything else. */
export function parseBalance(text: string): Balance {
  const choice = CHOICES.find((candidate) => candidate === text);
  if (choice === undefined) throw new TypeError(`expected balance to be one of ${CHOICES.join(', ')}, got "${text}"`);
  return choice;
}
