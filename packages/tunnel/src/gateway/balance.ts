// How requests are spread over the sessions that serve their route, where affinity does not say.
import { StrategyName } from '@zishuo/yamux-balancer';

export type Balance = Exclude<StrategyName, typeof StrategyName.Affinity>;

const CHOICES: readonly Balance[] = [
  // The default: requests through a tunnel differ too much in length for taking turns to be even.
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
