// The order of measurements. In a trial every contender gets warm, and then each round goes through them in turn, so that what the machine
// does meanwhile falls on all of them alike.

import type { Case } from './case.ts';
import type { Contender } from './implementation.ts';
import { type Outcome, ROUND_MS, WARM_UP_MS } from './pair.ts';
import type { Trial } from './trials.ts';

export interface Series {
  readonly benchCase: Case;
  readonly contender: Contender;
  /** In each all figures of the case. */
  readonly rounds: (readonly number[])[];
  /** Why it was measured no further. */
  failure?: string;
}

export interface Drivable {
  drive(ms: number): Promise<Outcome>;
  end(): Promise<void>;
}

export interface Plan<One extends Contender> {
  readonly trials: readonly Trial<One>[];
  readonly rounds: number;
  start(contender: One, benchCase: Case): Drivable;
  /** Called before each measurement; round 0 is the warm-up. */
  onRound(round: number, series: Series): void;
}

export async function runRounds<One extends Contender>(plan: Plan<One>): Promise<readonly Series[]> {
  const all: Series[] = [];
  for (const { benchCase, contenders } of plan.trials) {
    const runners = contenders.map((contender) => {
      const series: Series = { benchCase, contender, rounds: [] };
      return { series, pair: plan.start(contender, benchCase) };
    });
    try {
      for (let round = 0; round <= plan.rounds; round += 1) {
        // Another one begins each time: nobody always follows the same neighbour.
        const first = round % runners.length;
        for (const { series, pair } of [...runners.slice(first), ...runners.slice(0, first)]) {
          if (series.failure !== undefined) continue;
          plan.onRound(round, series);
          const outcome = await pair.drive(round === 0 ? WARM_UP_MS : ROUND_MS);
          if ('failure' in outcome) series.failure = outcome.failure;
          else if (round > 0) series.rounds.push(outcome.figures);
        }
      }
    } finally {
      await Promise.all(runners.map(({ pair }) => pair.end()));
    }
    all.push(...runners.map(({ series }) => series));
  }
  return all;
}
