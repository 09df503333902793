// How long a property is tried: a fixed number of runs in `test`, a stretch of time in `fuzz`.
import fc from 'fast-check';

/** ms of a property that is not fuzzing, shrinking included: a counterexample must be told before the test is cut off. */
const LIMIT = 30_000;
/** ms for a test of a property. */
export const RUNS_TIMEOUT = 3_600_000;

/**
 * Tries `predicate` on `numRuns` values or, while fuzzing, on as many as a `share` of FUZZ_SECONDS holds. A property that runs out of time
 * leaves its last run to itself: here that is over, too, before anything it uses is closed.
 */
export async function holds<T>(
  values: fc.Arbitrary<T>,
  predicate: (value: T) => Promise<void>,
  numRuns: number,
  share = 1,
): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const property = fc.asyncProperty(values, (value) => {
    last = predicate(value);
    return last;
  });
  const seconds = Number(process.env.FUZZ_SECONDS ?? 0) * share;
  const runs =
    seconds > 0
      ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1000 }
      : { numRuns, interruptAfterTimeLimit: LIMIT };
  try {
    await fc.assert(property, runs);
  } finally {
    await last.catch(() => {}); // fc.assert has told
  }
}
