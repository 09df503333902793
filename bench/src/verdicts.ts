// The results of the targets in a run.

import { type CaseSummary, speed } from './summary.ts';
import type { Target } from './targets.ts';

export interface Verdict {
  readonly target: Target;
  /** How many times as fast it was. Absent if one of the two has no figure: then `missing` says which one, and why. */
  readonly ratio?: number | undefined;
  readonly missing?: string | undefined;
  readonly isMet: boolean;
}

/** Leaves out targets without any measurement in the run, and optional ones whose other contender was not measured. */
export function judge(targets: readonly Target[], summaries: readonly CaseSummary[]): readonly Verdict[] {
  const byName = new Map(summaries.map((summary) => [summary.benchCase.name, summary]));
  return targets.flatMap((target) => {
    const summary = byName.get(target.figure);
    if (summary === undefined || (target.isOptional === true && !hasOther(target, summary))) return [];
    return [judgeOne(target, summary, byName)];
  });
}

function hasOther({ against }: Target, { results }: CaseSummary): boolean {
  return 'value' in against || results.some(({ implementation }) => implementation === against.contender);
}

function judgeOne(target: Target, summary: CaseSummary, byName: ReadonlyMap<string, CaseSummary>): Verdict {
  const { contender, against, atLeast } = target;
  const own = medianOf(summary, contender);
  const other =
    'value' in against ? against.value : medianOf(byName.get(against.figure ?? target.figure), against.contender);
  if (typeof own === 'string' || typeof other === 'string') {
    return { target, missing: typeof own === 'string' ? own : (other as string), isMet: false };
  }
  const ratio = speed(summary.benchCase.better, own, other);
  return { target, ratio, isMet: ratio >= atLeast };
}

/** Or why there is none. */
function medianOf(summary: CaseSummary | undefined, contender: string): number | string {
  const result = summary?.results.find(({ implementation }) => implementation === contender);
  if (result === undefined) return `${contender} was not measured`;
  return 'failure' in result ? `${contender} failed: ${result.failure}` : result.median;
}
