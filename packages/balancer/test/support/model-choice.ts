// How the naive pool chooses, in as many words.
import { hashOf, mixed } from '../../src/choosing/key-order.ts';
import type { ModelSession } from './model-session.ts';

/** Highest random weight, in as many words: a session of weight 3 has three times the chance. */
export function ownerOf(key: string, sessions: readonly ModelSession[]): ModelSession {
  const isWeighed = sessions.some(({ weight }) => weight > 0);
  const scored = sessions
    .filter(({ weight }) => weight > 0 || !isWeighed)
    .map((session) => {
      const chance = (mixed(hashOf(session.id), hashOf(key)) + 0.5) / 2 ** 32;
      return { session, score: -Math.log(chance) / (isWeighed ? session.weight : 1) };
    })
    .sort(
      (a, b) =>
        a.score - b.score ||
        a.session.id.localeCompare(b.session.id) ||
        a.session.load - b.session.load ||
        a.session.lastPick - b.session.lastPick,
    );
  return scored[0]?.session as ModelSession;
}

/** Smooth weighted round-robin in as many words; of equals the first. */
export function weigh(inTurn: readonly ModelSession[]): ModelSession {
  const weighing = inTurn.filter(({ weight }) => weight > 0);
  if (weighing.length === 0) return inTurn[0] as ModelSession;
  for (const one of weighing) one.owed += one.weight;
  const most = Math.max(...weighing.map(({ owed }) => owed));
  const picked = weighing.find(({ owed }) => owed === most) as ModelSession;
  for (const one of weighing) picked.owed -= one.weight;
  return picked;
}

/** What one that leaves was owed is the others', by their weight. */
export function leave(session: ModelSession, rest: readonly ModelSession[]): void {
  const total = rest.reduce((sum, { weight }) => sum + weight, 0);
  if (session.owed === 0) return;
  for (const one of rest) one.owed += session.owed * (total > 0 ? one.weight / total : 1 / rest.length);
  session.owed = 0;
}
