// Prints the targets, one in each row, with the missed ones marked.

import type { Figure } from '../case.ts';
import type { CaseSummary } from '../summary.ts';
import type { Target } from '../targets.ts';
import type { Verdict } from '../verdicts.ts';
import { round } from './round.ts';

export function renderTargets(verdicts: readonly Verdict[], summaries: readonly CaseSummary[]): string {
  const figures = new Map(summaries.map(({ benchCase }) => [benchCase.name, benchCase]));
  const rows = verdicts.map((verdict) => {
    const { target, ratio, missing, isMet } = verdict;
    const mark = isMet ? 'met   ' : missing === undefined ? 'MISSED' : '?     ';
    const measured = ratio === undefined ? '' : times(ratio);
    return [mark, measured, `of ${times(target.atLeast)}`, describe(target, figures), missing ?? ''] as const;
  });
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) => {
      const [mark, measured, wanted, what, missing] = row;
      const numbers = `${mark}  ${measured.padStart(widths[1] ?? 0)} ${wanted.padEnd(widths[2] ?? 0)}`;
      return `  ${numbers}  ${what}${missing === '' ? '' : ` (${missing})`}`;
    })
    .join('\n');
}

function describe({ figure, contender, against }: Target, figures: ReadonlyMap<string, Figure>): string {
  const { title = figure, unit = '' } = figures.get(figure) ?? {};
  if ('value' in against) return `${title}: ${contender} against ${round(against.value)} ${unit}`;
  const other = against.figure === undefined ? '' : `${figures.get(against.figure)?.title ?? against.figure}: `;
  return `${title}: ${contender} against ${other}${against.contender}`;
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)}×`;
}
