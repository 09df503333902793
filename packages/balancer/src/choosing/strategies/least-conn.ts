import { checkOptions } from '../../checks.ts';
import { SlowStart, type SlowStartOptions } from '../slow-start.ts';
import type { Candidate, CandidateOrder, CandidateView, Strategy, StrategyContext } from '../strategy.ts';

class LeastConn implements Strategy {
  readonly name = 'least-conn';
  readonly order: CandidateOrder = 'least-loaded';
  readonly #slowStart: SlowStart;

  constructor(slowStart: SlowStart) {
    this.#slowStart = slowStart;
  }

  attach(context: StrategyContext): void {
    this.#slowStart.attach(context);
  }

  /** While a session ramps, its load weighs more than it is, and each candidate is looked at. */
  pick(candidates: CandidateView): number {
    const { now } = this.#slowStart;
    if (now === undefined) return 0;
    let best: Candidate | undefined;
    let bestIndex = 0;
    let least = Infinity;
    for (let index = 0; index < candidates.length; index += 1) {
      const one = candidates.at(index) as Candidate;
      const cost = (one.load + 1) / this.#slowStart.share(one, now);
      if (best !== undefined && (cost > least || (cost === least && one.turn > best.turn))) continue;
      [best, bestIndex, least] = [one, index, cost];
    }
    return bestIndex;
  }

  added(candidate: Candidate): void {
    this.#slowStart.note(candidate);
  }

  updated(candidate: Candidate): void {
    this.#slowStart.note(candidate);
  }
}

/**
 * The candidate with the fewest active and pending streams; equals take turns. While a session is in its slow start, a pick looks at every
 * candidate.
 * @throws RangeError for a `slowStart` that is no delay; TypeError for an unknown option.
 */
export function leastConn(options: SlowStartOptions = {}): Strategy {
  checkOptions('least-conn', options, ['slowStart']);
  return new LeastConn(new SlowStart(options.slowStart));
}
