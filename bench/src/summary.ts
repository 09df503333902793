// Computes medians and ratios of the rounds. A failed contender has no figure, only its error.

import type { Figure, Measurable } from './case.ts';
import type { Series } from './rounds.ts';
import { median } from './statistics.ts';

export interface Measured {
  readonly implementation: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many times as fast as the first contender of the case, by medians. Absent if that one failed. */
  readonly ratio?: number | undefined;
  readonly rounds: readonly number[];
}

export interface Failed {
  readonly implementation: string;
  readonly failure: string;
}

export interface CaseSummary {
  readonly benchCase: Figure;
  readonly results: readonly (Measured | Failed)[];
}

/** The measurements of one contender for one figure, or why there are none. */
export interface Figures {
  readonly name: string;
  readonly figures: readonly number[];
  readonly failure?: string | undefined;
}

/** A summary for each figure of each case. */
export function summarize(all: readonly Series[]): readonly CaseSummary[] {
  const byCase = new Map<Measurable, Series[]>();
  for (const series of all) {
    const others = byCase.get(series.benchCase);
    if (others === undefined) byCase.set(series.benchCase, [series]);
    else others.push(series);
  }
  return Array.from(byCase).flatMap(([benchCase, ofCase]) =>
    benchCase.figures.map((figure, index) =>
      summarizeFigures(
        figure,
        ofCase.map(({ contender: { name }, rounds, failure }) => ({
          name,
          figures: rounds.map((round) => round[index] ?? Number.NaN),
          failure,
        })),
      ),
    ),
  );
}

/** The ratios are to the first contender. A contender without this figure (NaN) is left out. */
export function summarizeFigures(benchCase: Figure, all: readonly Figures[]): CaseSummary {
  const measured = all.filter(({ figures }) => !figures.some(Number.isNaN));
  const [first] = measured;
  const reference = first?.failure === undefined ? median(first?.figures ?? []) : undefined;
  return { benchCase, results: measured.map((figures) => resultOf(benchCase, figures, reference)) };
}

/** How many times as fast `figure` is as `other`. */
export function speed(better: Figure['better'], figure: number, other: number): number {
  return better === 'higher' ? figure / other : other / figure;
}

function resultOf(
  { better }: Figure,
  { name, figures, failure }: Figures,
  reference: number | undefined,
): Measured | Failed {
  if (failure !== undefined) return { implementation: name, failure };
  const middle = median(figures);
  return {
    implementation: name,
    median: middle,
    min: Math.min(...figures),
    max: Math.max(...figures),
    ratio: reference === undefined ? undefined : speed(better, middle, reference),
    rounds: figures,
  };
}
