// Smooth weighted round-robin, as nginx has it: every pick gives each candidate its weight and takes the sum of all from the one
// that is picked. Over any whole round each gets exactly its share, and spread out: a a b a c a a for 5, 1, 1.
import { checkOptions } from '../../checks.ts';
import { SlowStart, type SlowStartOptions } from '../slow-start.ts';
import type { Candidate, CandidateView, Strategy, StrategyContext } from '../strategy.ts';

export class Weighted implements Strategy {
  readonly name = 'weighted';
  /** All sessions of the pool, with the weight by which each was picked so far. */
  readonly #weights = new Map<Candidate, number>();
  /**
   * What each is owed, by its ordinal: at 256 candidates a map would cost five times the whole pick. The sum is 0.
   */
  readonly #owed: number[] = [];
  readonly #slowStart: SlowStart;

  constructor(slowStart: SlowStart = new SlowStart()) {
    this.#slowStart = slowStart;
  }

  attach(context: StrategyContext): void {
    this.#slowStart.attach(context);
  }

  /** What the session is ahead of the others, or behind them where it is negative. */
  owedTo({ ordinal }: Candidate): number {
    return this.#owed[ordinal] ?? 0;
  }

  pick(candidates: CandidateView): number {
    const owed = this.#owed;
    const ramp = this.#slowStart.now;
    let total = 0;
    let best: Candidate | undefined;
    let bestIndex = 0;
    let most = 0;
    for (let index = 0; index < candidates.length; index += 1) {
      const one = candidates.at(index) as Candidate;
      const { ordinal } = one;
      const weight = ramp === undefined ? one.weight : one.weight * this.#slowStart.share(one, ramp);
      if (weight === 0) continue;
      total += weight;
      const now = (owed[ordinal] as number) + weight;
      owed[ordinal] = now;
      if (best === undefined || now > most || (now === most && one.turn < best.turn)) {
        best = one;
        bestIndex = index;
        most = now;
      }
    }
    if (best === undefined) return leastRecent(candidates);
    owed[best.ordinal] = most - total;
    return bestIndex;
  }

  added(candidate: Candidate): void {
    this.#owed[candidate.ordinal] = 0;
    this.#slowStart.note(candidate);
    this.#weights.set(candidate, candidate.weight);
  }

  updated(candidate: Candidate): void {
    this.#slowStart.note(candidate);
    if (this.#weights.get(candidate) === candidate.weight) return;
    this.#weights.set(candidate, candidate.weight);
    this.#spread(candidate);
  }

  removed(candidate: Candidate): void {
    this.#weights.delete(candidate);
    this.#spread(candidate);
  }

  /** What the session was ahead or behind becomes the others', by their weight, so that nobody's change is a burst for anybody. */
  #spread(from: Candidate): void {
    const owed = this.#owed[from.ordinal] as number;
    this.#owed[from.ordinal] = 0;
    if (owed === 0) return;
    let total = 0;
    for (const [one, weight] of this.#weights) if (one !== from) total += weight;
    const others = this.#weights.has(from) ? this.#weights.size - 1 : this.#weights.size;
    for (const [one, weight] of this.#weights) {
      if (one === from) continue;
      const share = owed * (total > 0 ? weight / total : 1 / others);
      this.#owed[one.ordinal] = (this.#owed[one.ordinal] as number) + share;
    }
  }
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
 * @throws RangeError for a `slowStart` that is no delay; TypeError for an unknown option.
 */
export function weighted(options: SlowStartOptions = {}): Strategy {
  checkOptions('weighted', options, ['slowStart']);
  return new Weighted(new SlowStart(options.slowStart));
}
