// The order of measurements. In a case every implementation gets warm, and then each round goes through them in turn, so that what the
// machine does meanwhile falls on all of them alike.

import type { Case } from './case.ts';
import type { Implementation } from './implementation.ts';
import { type Outcome, ROUND_MS, WARM_UP_MS } from './pair.ts';

export interface Series {
  readonly benchCase: Case;
  readonly implementation: Implementation;
  /** One a round. */
  readonly figures: number[];
  /** Why it was measured no further. */
  failure?: string;
}

export interface Drivable {
  drive(ms: number): Promise<Outcome>;
  end(): Promise<void>;
}

export interface Plan {
  readonly cases: readonly Case[];
  readonly implementations: readonly Implementation[];
  readonly rounds: number;
  start(implementation: Implementation, benchCase: Case): Drivable;
  /** Called before each measurement; round 0 is the warm-up. */
  onRound(round: number, series: Series): void;
}

export async function runRounds(plan: Plan): Promise<readonly Series[]> {
  const all: Series[] = [];
  for (const benchCase of plan.cases) {
    const runners = plan.implementations.map((implementation) => {
      const series: Series = { benchCase, implementation, figures: [] };
      return { series, pair: plan.start(implementation, benchCase) };
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
          else if (round > 0) series.figures.push(outcome.figure);
        }
      }
    } finally {
      await Promise.all(runners.map(({ pair }) => pair.end()));
    }
    all.push(...runners.map(({ series }) => series));
  }
  return all;
}
