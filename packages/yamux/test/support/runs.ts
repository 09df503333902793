// How long a property of whole sessions is tried: a fixed number of runs in `test`, a stretch of time in `fuzz`.

interface Runs {
  readonly numRuns: number;
  readonly interruptAfterTimeLimit?: number;
}

/** For fc.assert: `numRuns`, or, while fuzzing, as many as FUZZ_SECONDS hold. */
export function runs(numRuns: number): Runs {
  const seconds = Number(process.env.FUZZ_SECONDS ?? 0);
  return seconds > 0 ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1000 } : { numRuns };
}
