import type { Strategy } from '../strategy.ts';

/**
 * Candidates in turn: whoever was picked longest ago is next, a new one before all others. A cursor over all sessions
 * would starve some of them when opens with different filters alternate; a place per session does not.
 */
export function roundRobin(): Strategy {
  return { name: 'round-robin', order: 'least-recent', pick: () => 0 };
}
