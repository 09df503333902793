// Statistics of many figures.

/** The middle value, or the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  const sorted = ascending(figures);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** The smallest value that `percent` of all values do not exceed. */
export function percentile(figures: readonly number[], percent: number): number {
  return ascending(figures)[Math.ceil((figures.length * percent) / 100) - 1] ?? Number.NaN;
}

function ascending(figures: readonly number[]): number[] {
  return [...figures].sort((a, b) => a - b);
}
