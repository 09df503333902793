// The order of measurements. In a trial every contender is warmed up, and then each round runs them in turn, so that other work of the machine
// affects all of them equally. A cold trial has no warm-up, and each round is the first of its processes.

import type { Measurable } from './case.ts';
import type { Contender } from './implementation.ts';

/**
 * Until V8 has optimized both ends they run at a tenth of their speed or less. Seen in open-echo-close on two busy cores: @zishuo/yamux
 * goes from 4 to 80 streams/ms after 0.6 s, node:http2 from 2 to 15 after 1.5 s. Figures taken before that say little but when it happened.
 */
export const WARM_UP_MS = 3000;
export const ROUND_MS = 1000;

/** A case and its contenders. */
export interface Trial<One, What extends Measurable = Measurable> {
  readonly benchCase: What;
  readonly contenders: readonly One[];
}

export interface Series {
  readonly benchCase: Measurable;
  readonly contender: Contender;
  /** All figures of the case, for each round. */
  readonly rounds: (readonly number[])[];
  /** Why its measurement ended early. */
  failure?: string;
}

export type Outcome = { readonly figures: readonly number[] } | { readonly failure: string };

export interface Drivable {
  /** Loads for the given ms. Never rejects. */
  drive(ms: number): Promise<Outcome>;
  end(): Promise<void>;
}

export interface Plan<One extends Contender, What extends Measurable> {
  readonly trials: readonly Trial<One, What>[];
  readonly rounds: number;
  start(contender: One, benchCase: What): Drivable;
  /** Called before each measurement; round 0 is the warm-up. */
  onRound(round: number, series: Series): void;
}

export async function runRounds<One extends Contender, What extends Measurable>(
  plan: Plan<One, What>,
): Promise<readonly Series[]> {
  const all: Series[] = [];
  for (const { benchCase, contenders } of plan.trials) {
    const { isCold = false } = benchCase;
    const runners = contenders.map((contender) => {
      const series: Series = { benchCase, contender, rounds: [] };
      const start = (): Drivable => plan.start(contender, benchCase);
      return { series, start, warm: isCold ? undefined : start() };
    });
    try {
      for (let round = isCold ? 1 : 0; round <= plan.rounds; round += 1) {
        // Each round starts with another contender, so that none always follows the same one.
        const first = round % runners.length;
        for (const { series, start, warm } of [...runners.slice(first), ...runners.slice(0, first)]) {
          if (series.failure !== undefined) continue;
          plan.onRound(round, series);
          const ms = round === 0 ? WARM_UP_MS : ROUND_MS;
          const outcome = await (warm === undefined ? driveOnce(start(), ms) : warm.drive(ms));
          if ('failure' in outcome) series.failure = outcome.failure;
          else if (round > 0) series.rounds.push(outcome.figures);
        }
      }
    } finally {
      await Promise.all(runners.map(({ warm }) => warm?.end()));
    }
    all.push(...runners.map(({ series }) => series));
  }
  return all;
}

async function driveOnce(drivable: Drivable, ms: number): Promise<Outcome> {
  try {
    return await drivable.drive(ms);
  } finally {
    await drivable.end();
  }
}
