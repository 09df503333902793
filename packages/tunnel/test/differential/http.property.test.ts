// HTTP through the tunnel is HTTP without it: raw clients and raw origins that fast-check makes say the same to each other over a straight
// connection and through gateway and agent. What either sees must be the same, by the rules of rules.ts.
import { afterEach, beforeEach, describe, test } from 'vitest';
import { holds, RUNS_TIMEOUT } from '../support/runs.ts';
import { FAMILIES } from './families.ts';
import type { Program } from './program.ts';
import { describeProgram } from './program-text.ts';
import { Scene } from './scene.ts';

/** Programs of each family in `pnpm test`. */
const FEW = 20;
const VIA = 'Via';

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.begin();
});
afterEach(() => scene.end());

describe('HTTP through the tunnel is HTTP without it', () => {
  // One rule has a test of its own: without that every family would fail by it alone.
  const families = Object.entries(FAMILIES);
  test.each(families)(
    '%s',
    async (name, programs) => {
      await holds(
        programs,
        async (program) => {
          const findings = (await scene.compare(program)).filter((one) => one.startsWith('via:') === (name === VIA));
          if (findings.length > 0) throw new Error(report(program, findings));
        },
        FEW,
        1 / families.length,
      );
    },
    RUNS_TIMEOUT,
  );
});

function report(program: Program, findings: readonly string[]): string {
  return ['differs from a straight connection:', ...findings.map((one) => `  ${one}`), describeProgram(program)].join(
    '\n',
  );
}
