// A stream is a socket: programs that fast-check makes run over a pair of net.Sockets and over a pair of streams, and what they see is the same
// but for what judge.ts allows.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runs } from '../support/runs.ts';
import { differences } from './judge.ts';
import { KNOWN_FAULTS, MAY_DIFFER } from './known-faults.ts';
import { NetListener } from './net-carrier.ts';
import { describeProgram, type Program } from './program.ts';
import { programs, type Theme } from './program-arbitrary.ts';
import { run, type Transcript } from './run.ts';
import { sensible } from './sensible.ts';
import { SessionCarrier } from './session-carrier.ts';

/** ms that a property may take, shrinking included. */
const PATIENCE = 600_000;

const listener = new NetListener();
beforeAll(() => listener.listen());
afterAll(() => listener.close());

const overSockets = (program: Program): Promise<Transcript> => run(program, (one) => listener.connect(one));
const overStreams = (program: Program): Promise<Transcript> => run(program, (one) => SessionCarrier.connect(one));

/** What `other` makes of a program, held to what sockets make of it. */
async function hold(program: Program, other: (program: Program) => Promise<Transcript>): Promise<void> {
  const found = differences(await overSockets(program), await other(program));
  if (found.length > 0) expect.fail(`${describeProgram(program)}\n  ${found.join('\n  ')}`);
}

async function forPrograms(theme: Theme, numRuns: number, other = overStreams): Promise<void> {
  let last = Promise.resolve();
  const property = fc.asyncProperty(programs(theme), (program) => {
    last = hold(program, other);
    return last;
  });
  try {
    await fc.assert(property, runs(numRuns));
  } finally {
    // At its time limit fast-check leaves a run alone, which would connect, and hear what is thrown, within the next test.
    await last.catch(() => {});
  }
}

// Also the proof that nothing which is compared depends on time.
test.each<[Theme, number]>([
  ['plain', 20],
  ['reading', 40],
  ['writing', 40],
  ['ending', 40],
  ['throwing', 40],
  ['timing', 40],
])('%s: two pairs of sockets are the same', (theme, numRuns) => forPrograms(theme, numRuns, overSockets), PATIENCE);

test.each<[Theme, number]>([
  ['plain', 200],
  ['reading', 400],
  ['writing', 350],
  ['ending', 450],
  ['throwing', 350],
  ['timing', 250],
])('%s: a pair of streams is as a pair of sockets', (theme, numRuns) => forPrograms(theme, numRuns), PATIENCE);

// Outside `fuzz`, which looks for what is not known.
const testKnown = test.runIf(process.env.FUZZ_SECONDS === undefined);

testKnown.each(KNOWN_FAULTS)('as over sockets: %s', (_title, program) => hold(program, overStreams));

testKnown.each(MAY_DIFFER)('may differ: %s', (_title, program) => hold(sensible(program), overStreams));
