// Prints the results: one block for each case, one row with a bar for each contender; longer is better.

import { type CaseSummary, type Measured, speed } from '../summary.ts';
import { round } from './round.ts';

const BAR_WIDTH = 24;
/** Eighths of a cell, from one to seven. */
const PARTS = '▏▎▍▌▋▊▉';

export function renderTable(summaries: readonly CaseSummary[]): string {
  return summaries.map(renderCase).join('\n\n');
}

function renderCase({ benchCase, results }: CaseSummary): string {
  const { title, unit, better } = benchCase;
  const names = Math.max(...results.map(({ implementation }) => implementation.length));
  const measured = results.filter((result) => 'median' in result);
  const medians = measured.map(({ median }) => median);
  const best = better === 'higher' ? Math.max(...medians) : Math.min(...medians);
  const lines = results.map((result) => {
    const name = `  ${result.implementation.padEnd(names)}  `;
    return (
      name +
      ('failure' in result ? `failed: ${result.failure}` : renderFigures(result, speed(better, result.median, best)))
    );
  });
  return [`${title} (${unit}, ${better} is better)`, ...lines].join('\n');
}

function renderFigures({ median, min, max, ratio }: Measured, share: number): string {
  const range = `${round(min)} … ${round(max)}`;
  const times = ratio === undefined ? '' : `${ratio.toFixed(2)}×`;
  return `${bar(share)}  ${round(median).padStart(8)}  ${times.padStart(6)}   ${range}`;
}

function bar(share: number): string {
  const eighths = Math.round(share * BAR_WIDTH * 8);
  const cells = '█'.repeat(Math.floor(eighths / 8)) + (eighths % 8 === 0 ? '' : PARTS.charAt((eighths % 8) - 1));
  return cells.padEnd(BAR_WIDTH);
}
