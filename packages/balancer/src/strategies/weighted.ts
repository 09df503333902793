// Smooth weighted round-robin, as nginx has it: every pick gives each candidate its weight and takes the sum of all from the one
// that is picked. Over any whole round each gets exactly its share, and spread out: a a b a c a a for 5, 1, 1.
import type { Candidate, CandidateView, Strategy } from '../strategy.ts';

/** A field of the session itself: at 256 candidates a WeakMap would cost five times the whole pick. */
type Weighed = Candidate & { currentWeight: number };

class Weighted implements Strategy {
  readonly name = 'weighted';
  /** All sessions of the pool, with the weight by which each was picked so far. The sum of their current weights is 0. */
  readonly #weights = new Map<Weighed, number>();

  pick(candidates: CandidateView): number {
    let total = 0;
    let best: Weighed | undefined;
    let bestIndex = 0;
    for (let index = 0; index < candidates.length; index += 1) {
      const one = candidates.at(index) as Weighed;
      const { weight } = one;
      if (weight === 0) continue;
      total += weight;
      one.currentWeight += weight;
      if (best === undefined || one.currentWeight > best.currentWeight || isTieBefore(one, best)) {
        best = one;
        bestIndex = index;
      }
    }
    if (best === undefined) return leastRecent(candidates);
    best.currentWeight -= total;
    return bestIndex;
  }

  added(candidate: Weighed): void {
    candidate.currentWeight = 0;
    this.#weights.set(candidate, candidate.weight);
  }

  updated(candidate: Weighed): void {
    if (this.#weights.get(candidate) === candidate.weight) return;
    this.#weights.set(candidate, candidate.weight);
    this.#spread(candidate);
  }

  removed(candidate: Weighed): void {
    this.#weights.delete(candidate);
    this.#spread(candidate);
  }

  /** What the session was ahead or behind becomes the others', by their weight, so that nobody's change is a burst for anybody. */
  #spread(from: Weighed): void {
    const owed = from.currentWeight;
    from.currentWeight = 0;
    if (owed === 0) return;
    let total = 0;
    for (const [one, weight] of this.#weights) if (one !== from) total += weight;
    const others = this.#weights.has(from) ? this.#weights.size - 1 : this.#weights.size;
    for (const [one, weight] of this.#weights) {
      if (one !== from) one.currentWeight += owed * (total > 0 ? weight / total : 1 / others);
    }
  }
}

function isTieBefore(one: Weighed, best: Weighed): boolean {
  return one.currentWeight === best.currentWeight && one.turn < best.turn;
}

function leastRecent(candidates: CandidateView): number {
  let first = 0;
  for (let index = 1; index < candidates.length; index += 1) {
    if ((candidates.at(index) as Candidate).turn < (candidates.at(first) as Candidate).turn) first = index;
  }
  return first;
}

/**
 * Candidates in turn, each as often as its weight says. A weight of 0 is never picked unless every candidate has it. Looks at
 * every candidate at every pick: meant for hundreds of sessions, not thousands.
 */
export function weighted(): Strategy {
  return new Weighted();
}
