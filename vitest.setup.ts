// What holds for every test file. One seed for all property tests, so that two runs are the same run: FC_SEED changes it; FC_SEED with
// FC_PATH, both printed with a counterexample, replay that one (name its test with -t: a path belongs to one property).
// And nothing that keeps a process alive is left behind: no timer, socket, server or child.
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';

const seed = Number(process.env.FC_SEED ?? 20_261_122);
if (!Number.isInteger(seed)) throw new RangeError(`FC_SEED must be an integer, got ${process.env.FC_SEED}`);
const path = process.env.FC_PATH;

// fast-check's types keep a path from being global; its code merges the global parameters into each property's own.
fc.configureGlobal((path === undefined ? { seed } : { seed, path }) as fc.GlobalParameters);

/** Turns of the event loop in which what has been closed may still go away; a handle's 'close' comes some turns after its end. */
const TURNS = 1000;

let before: readonly string[];

beforeAll(() => {
  before = process.getActiveResourcesInfo();
});

afterAll(async () => {
  for (let turns = 0; leftBehind().length > 0 && turns < TURNS; turns++) await turn();
  expect(leftBehind(), 'left behind by this file, and keeping the process alive').toEqual([]);
});

function leftBehind(): string[] {
  const expected = [...before, 'Immediate'];
  return process.getActiveResourcesInfo().filter((resource) => {
    const index = expected.indexOf(resource);
    if (index !== -1) expected.splice(index, 1);
    return index === -1;
  });
}
