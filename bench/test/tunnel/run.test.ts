// Every subject carries small and large bodies in both directions for a short time, from its start to its end. No figure is checked.
import { afterEach, expect, test } from 'vitest';
import type { Drivable } from '../../src/rounds.ts';
import type { TunnelCase } from '../../src/tunnel/cases.ts';
import { buildEnds } from '../../src/tunnel/ends.ts';
import { IdleRun } from '../../src/tunnel/idle.ts';
import { idleTrial, tunnelTrials } from '../../src/tunnel/index.ts';
import { TunnelRun } from '../../src/tunnel/run.ts';
import type { Subject } from '../../src/tunnel/subject.ts';
import { usageIsMissing } from '../../src/tunnel/usage.ts';

const language = await buildEnds();
const missing = usageIsMissing();
if (missing !== undefined) console.warn(`the tunnel's part of the bench is not tested: ${missing}`);

let run: Drivable | undefined;
afterEach(() => run?.end());

const everything: TunnelCase = {
  name: 'everything',
  figures: [],
  groups: [
    { connections: 2, answers: 100, uploads: 0 },
    { connections: 1, answers: 1_000_000, uploads: 0 },
    { connections: 1, answers: 0, uploads: 1_000_000 },
  ],
  read: ({ groups, near, far }) => [
    ...groups.map(({ requests }) => requests),
    ...[near, far].map((used) => used?.peakMemory ?? 0),
  ],
};

const subjects: readonly Subject[] = tunnelTrials[0]?.contenders ?? [];

test.skipIf(missing !== undefined).each(subjects)('$name', async (subject) => {
  run = new TunnelRun(subject, everything, language);
  for (const ms of [20, 20]) {
    const outcome = await run.drive(ms);
    expect(outcome).toEqual({ figures: expect.any(Array) });
    const [small, large, up] = 'figures' in outcome ? outcome.figures : [];
    for (const requests of [small, large, up]) expect(requests).toBeGreaterThan(0);
  }
});

test.skipIf(missing !== undefined)('a process that dies is the outcome, in words', async () => {
  const [ours] = subjects as [Subject];
  run = new TunnelRun(
    {
      ...ours,
      async start(children, originPort) {
        const way = await ours.start(children, originPort);
        way.far?.process.kill('SIGKILL');
        return way;
      },
    },
    everything,
    language,
  );
  expect(await run.drive(20)).toEqual({ failure: expect.stringMatching(/^agent ended with SIGKILL/) });
});

test.skipIf(missing !== undefined).each(idleTrial.contenders)('the agents of $name come back', async (subject) => {
  const few = { ...idleTrial.benchCase, agents: 5, settleMs: 0, restMs: 50 };
  run = new IdleRun(subject, few);
  expect(await run.drive(0)).toEqual({ figures: few.figures.map(() => expect.any(Number)) });
});
