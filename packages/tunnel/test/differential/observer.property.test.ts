// The observer is right: what two straight connections show is the same, for every program; and the judge finds nothing in that but what a
// gateway has to change.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { holds, RUNS_TIMEOUT } from '../support/runs.ts';
import { FAMILIES } from './families.ts';
import { judge, type View } from './judge.ts';
import type { Program } from './program.ts';
import { describeProgram } from './program-text.ts';
import type { Rule } from './rules.ts';
import { Scene } from './scene.ts';

/** The rules by which a gateway changes something: a straight connection breaks them. */
const CHANGED = new Set<string>([
  'added',
  'bad answer',
  'closes',
  'hop',
  'interim',
  'lost',
  'refused',
  'spoofed',
  'switch',
  'trailers',
  'via',
] satisfies Rule[]);

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.begin();
});
afterEach(() => scene.end());

describe('a straight connection is like another', () => {
  const families = Object.entries(FAMILIES);
  test.each(families)(
    '%s',
    async (_name, programs) => {
      await holds(
        programs,
        async (program) => {
          const [one, other] = [await scene.straight(program), await scene.straight(program)];
          if (one === undefined || other === undefined) throw new Error(`hangs:\n${describeProgram(program)}`);
          expect(shown(one, program), describeProgram(program)).toEqual(shown(other, program));
          const faults = judge(program, one, other).filter((finding) => !CHANGED.has(finding.split(':', 1)[0] ?? ''));
          expect(faults, describeProgram(program)).toEqual([]);
        },
        10,
        1 / families.length,
      );
    },
    RUNS_TIMEOUT,
  );
});

/** What must not depend on when something happened. */
function shown({ client, asked }: View, { exchanges, leaving }: Program): unknown {
  const leaves = leaving !== null && leaving.how !== 'half';
  const answers = client.answers.map((answer) => {
    if (leaves || answer === undefined) return undefined; // who leaves sees what has come by then
    const { final, interim, ending, raw, rawEnd } = answer;
    return { final, interim, ending, raw, rawEnd };
  });
  // Who has answered early may end before all of the request is here.
  const whole = asked.filter(({ index, message }) => message.isWhole && exchanges[index]?.answer.when === 'body');
  // Nor is all of what a client that asks once only has pipelined behind an answer that ends their connection.
  const last = leaving === null ? -1 : exchanges.findIndex(({ answer }) => answer.ending !== 'keep');
  const seen = last === -1 ? whole : whole.filter(({ index }) => index <= last);
  const indices = leaves ? [] : [...new Set(seen.map(({ index }) => index))];
  return { answers, whole: indices, lingered: client.lingered };
}
