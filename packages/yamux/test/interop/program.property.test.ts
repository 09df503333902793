// Programs that fast-check makes, run by our Yamux and by hashicorp's against each other, and held to program-model.ts.
// A failure prints its program, shrunk, with the seed and path that replay it: FC_SEED=… FC_PATH=… and -t with the test's name.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { GoPeer, type Role } from './go-peer.ts';
import type { Half, Program, StreamPlan } from './program.ts';
import { programs } from './program-arbitrary.ts';
import { judge } from './program-model.ts';
import { runProgram } from './program-run.ts';

const executable = inject('goPeer');
/** Programs a test; `pnpm interop` runs all, `pnpm test` a few, FC_RUNS as many as it says. */
const full = inject('isInteropInFull');
const runs = (inFull: number, few: number): number => Number(process.env.FC_RUNS || (full ? inFull : few));

describe.skipIf(executable === null).each<Role>(['client', 'server'])(
  'any program of our %s and hashicorp/yamux',
  (role) => {
    // One process for all of them: a session each.
    let peer: GoPeer;

    beforeAll(() => {
      peer = new GoPeer(executable as string);
    });

    afterAll(() => peer.stop());

    test('comes to an end that it may have, over TCP', () => hold({ tls: false }, runs(500, 25)), 600_000);

    test('comes to an end that it may have, over TLS', () => hold({ tls: true }, runs(100, 5)), 600_000);

    async function hold({ tls }: { tls: boolean }, numRuns: number): Promise<void> {
      await fc.assert(
        fc.asyncProperty(programs(role), async (program) => {
          const result = await runProgram(peer, { ...program, config: { ...program.config, tls } });
          expect(judge(program, result)).toEqual([]);
        }),
        { numRuns, examples: found(role).map((program) => [program]) },
      );
    }
  },
);

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
