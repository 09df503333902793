import type { Strategy } from '../strategy.ts';

/** The candidate with the fewest active and pending streams; equals take turns. */
export function leastConn(): Strategy {
  return { name: 'least-conn', order: 'least-loaded', pick: () => 0 };
}
