import type { Strategy } from '../strategy.ts';

/** Any candidate, all equally likely, by the pool's `random`. */
export function random(): Strategy {
  let source = Math.random;
  return {
    name: 'random',
    attach: (context) => {
      source = context.random;
    },
    pick: ({ length }) => {
      if (length === 1) return 0;
      const index = Math.floor(source() * length);
      // A source that says 1, or NaN, must not be able to break an open.
      return index >= 0 ? Math.min(index, length - 1) : 0;
    },
  };
}
