// Programs that fast-check makes, run by our Yamux and by hashicorp's against each other, and held to program-model.ts.
// A failure prints its program, shrunk, in words and as data, and the line that replays it.
import fc from 'fast-check';
import { expect, inject } from 'vitest';
import type { Connect } from './connection.ts';
import type {} from './global-setup.ts';
import { GoPeer, type Role } from './go-peer.ts';
import type { Half, Program, StreamPlan } from './program.ts';
import { programs } from './program-arbitrary.ts';
import { judge } from './program-model.ts';
import { runProgram } from './program-run.ts';

/** ms that a test of programs may take. */
export const PROGRAMS_TIMEOUT = 600_000;
/** ms after which no program is begun, nor a failing one shrunk further: a failure must be told before the test is cut off. */
const LAST_BEGIN = PROGRAMS_TIMEOUT - 60_000;

/** `inFull` programs in `pnpm interop`, a `few` in `pnpm test`, as many as FC_RUNS says if it is set. */
export async function holdForPrograms(
  role: Role,
  connect: Connect,
  { inFull, few }: { readonly inFull: number; readonly few: number },
): Promise<void> {
  const executable = inject('goPeer') as string;
  const numRuns = Number(process.env.FC_RUNS || (inject('isInteropInFull') ? inFull : few));
  // One process for all of them: a session each. One that a program has killed is replaced, or every other would fail as well.
  let peer = new GoPeer(executable);
  const property = fc.asyncProperty(programs(role), async (program) => {
    if (peer.isGone) peer = new GoPeer(executable);
    expect(judge(program, await runProgram(peer, program, connect))).toEqual([]);
  });
  const limit = { interruptAfterTimeLimit: LAST_BEGIN, markInterruptAsFailure: true };
  try {
    await fc.assert(property, { numRuns, ...limit, examples: found(role).map((program) => [program]) });
  } finally {
    await peer.stop();
  }
}

/** Programs that found something once, shrunk. */
function found(role: Role): Program[] {
  const id = role === 'client' ? 1 : 2;
  const half: Half = { writes: [], writesAfter: 0, pauses: [], readSize: 1000 };
  const stream: StreamPlan = {
    ...{ id, opener: 'us', roundTrips: 0, go: half },
    us: { ...half, flows: false, cut: null },
  };
  const nothing = { role, options: {}, config: {}, streams: [], ourSteps: [], goSteps: [], closer: 'us' } as const;
  return [
    // The session was gone when the code that awaited open() went on: finished() then told of a clean end.
    { ...nothing, streams: [stream], ourSteps: ['destroy'] },
  ];
}
