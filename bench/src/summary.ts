// What the rounds come to: medians and ratios. A failed implementation has no figure, only how it failed.

import type { Case } from './case.ts';
import type { Series } from './rounds.ts';

export interface Measured {
  readonly implementation: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many times as fast as the first implementation of the case, by the medians. Absent if that one failed. */
  readonly ratio?: number | undefined;
  readonly rounds: readonly number[];
}

export interface Failed {
  readonly implementation: string;
  readonly failure: string;
}

/** What is said of a case to whoever reads its figures. */
export type Described = Pick<Case, 'name' | 'title' | 'unit' | 'better'>;

export interface CaseSummary {
  readonly benchCase: Described;
  readonly results: readonly (Measured | Failed)[];
}

export function summarize(all: readonly Series[]): readonly CaseSummary[] {
  const byCase = new Map<Case, Series[]>();
  for (const series of all) {
    const others = byCase.get(series.benchCase);
    if (others === undefined) byCase.set(series.benchCase, [series]);
    else others.push(series);
  }
  return Array.from(byCase, ([benchCase, ofCase]) => {
    const reference = ofCase[0]?.failure === undefined ? median(ofCase[0]?.figures ?? []) : undefined;
    return { benchCase, results: ofCase.map((series) => resultOf(series, reference)) };
  });
}

/** Of figures that were measured elsewhere; the ratios are to the first. */
export function summarizeFigures(
  benchCase: Described,
  measured: readonly { readonly name: string; readonly figures: readonly number[] }[],
): CaseSummary {
  const reference = median(measured[0]?.figures ?? []);
  return { benchCase, results: measured.map(({ name, figures }) => measure(benchCase, name, figures, reference)) };
}

/** How many times as fast `figure` is as `other`. */
export function speed(better: Case['better'], figure: number, other: number): number {
  return better === 'higher' ? figure / other : other / figure;
}

function resultOf(series: Series, reference: number | undefined): Measured | Failed {
  const { failure, figures, benchCase } = series;
  const implementation = series.implementation.name;
  if (failure !== undefined) return { implementation, failure };
  return measure(benchCase, implementation, figures, reference);
}

function measure(
  { better }: Described,
  implementation: string,
  figures: readonly number[],
  reference: number | undefined,
): Measured {
  const middle = median(figures);
  return {
    implementation,
    median: middle,
    min: Math.min(...figures),
    max: Math.max(...figures),
    ratio: reference === undefined ? undefined : speed(better, middle, reference),
    rounds: figures,
  };
}

function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}
