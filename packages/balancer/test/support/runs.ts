// How long a property is tried: a fixed number of runs in `test`, its share of a stretch of time in `fuzz`.

interface Runs {
  readonly numRuns: number;
  readonly interruptAfterTimeLimit?: number;
}

/** For fc.assert: `numRuns`, or, while fuzzing, as many as FUZZ_SECONDS hold, where `properties` of a file share them. */
export function runs(numRuns: number, properties = 1): Runs {
  const seconds = Number(process.env.FUZZ_SECONDS ?? 0) / properties;
  return seconds > 0 ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1000 } : { numRuns };
}
