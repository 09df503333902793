// What holds for every test file. One seed for all property tests, so that two runs are the same run, but for `fuzz`, where every run has
// another: FC_SEED sets it; FC_SEED with FC_PATH, both printed with a counterexample, replay that one (name its test with -t: a path
// belongs to one property).
// And nothing that keeps a process alive is left behind: no timer, socket, server or child.
import { randomInt } from 'node:crypto';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';

const isFuzzing = process.env.FUZZ_SECONDS !== undefined;
const seed = Number(process.env.FC_SEED ?? (isFuzzing ? randomInt(2 ** 31) : 20_261_122));
if (!Number.isInteger(seed)) throw new RangeError(`FC_SEED must be an integer, got ${process.env.FC_SEED}`);
const path = process.env.FC_PATH;

/** fast-check's own report, and below it how to see the same counterexample again. */
function reporter(run: fc.RunDetails<unknown>): void {
  if (!run.failed) return;
  throw new Error(`${fc.defaultReportMessage(run)}\n${replayOf(run)}`, { cause: run.errorInstance });
}

/** A line for a shell. -t is a regular expression over the names of suites and test with a blank between them, not ' > '. */
function replayOf({ seed, counterexamplePath }: fc.RunDetails<unknown>): string {
  const { testPath = '', currentTestName = '' } = expect.getState();
  const pattern = currentTestName.replaceAll(' > ', ' ').replace(/[^\w ,:;-]/g, '.');
  const command = `npx vitest run ${relative(process.cwd(), testPath)} -t "^${pattern}$"`;
  return `Replay: FC_SEED=${seed} FC_PATH=${counterexamplePath} ${command}`;
}

// fast-check's types keep a path from being global; its code merges the global parameters into each property's own.
fc.configureGlobal({ seed, reporter, ...(path === undefined ? {} : { path }) } as fc.GlobalParameters);

/** ms that what has been closed or killed may take to be gone. Only a leak waits so long. */
const GRACE = 2000;

let before: readonly string[];

beforeAll(() => {
  // Vitest's own timers come and go; those that stay are unref'd, and are not in this list.
  before = process.getActiveResourcesInfo().filter((resource) => resource !== 'Timeout');
});

afterAll(async () => {
  const deadline = performance.now() + GRACE;
  while (leftBehind().length > 0 && performance.now() < deadline) await sleep(10, undefined, { ref: false });
  expect(leftBehind(), 'left behind by this file, and keeping the process alive').toEqual([]);
});

function leftBehind(): string[] {
  const expected = [...before];
  return process.getActiveResourcesInfo().filter((resource) => {
    const index = expected.indexOf(resource);
    if (index !== -1) expected.splice(index, 1);
    return index === -1;
  });
}
