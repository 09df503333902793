// A program that fails must come back small, in words, and again: the property that makes programs is worth what its failures tell.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Role } from './go-peer.ts';
import type { Program } from './program.ts';
import { programs } from './program-arbitrary.ts';

const role: Role = 'client';

/** Tries programs, of this seed whatever FC_SEED and FC_PATH say, until one has what is asked for; as fast-check tells it. */
function find(seed: number, isFailure: (program: Program) => boolean, path = ''): fc.RunDetails<[Program]> {
  const property = fc.property(programs(role), (program) => {
    if (isFailure(program)) throw new Error('found');
  });
  return fc.check(property, { seed, path, numRuns: 300 });
}

describe('a program that fails', () => {
  test('shrinks whatever it fails of, even where no two attempts fail alike', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      let state = seed;
      // A failure that comes and goes leads through all of a shrinker.
      const failsSometimes = (): boolean => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state < 2 ** 32 / 40;
      };
      expect(() => find(seed, failsSometimes), `seed ${seed}`).not.toThrow();
    }
  });

  const features: Array<[what: string, isThere: (program: Program) => boolean, least: string[]]> = [
    ['a cut', ({ streams }) => streams.some(({ us }) => us.cut), ['us: ends; reads by 1000; reset after 0 bytes']],
    [
      'two pauses',
      ({ streams }) => streams.some(({ go }) => go.pauses.length > 1),
      ["go: ends; reads by 1000, a round trip's pause at 0, 0"],
    ],
    [
      'bytes that are waited for',
      ({ streams }) => streams.some(({ us, go }) => us.writesAfter > 20 && go.writes.length > 0),
      [
        'us: waits for 21 bytes or the end, then ends; reads by 1000',
        expect.stringMatching(/^go: writes 0 by 10?; reads/),
      ],
    ],
    ['an option', ({ options }) => options.maxUnacknowledged === 3, ['our options: maxUnacknowledged 3']],
    ['a close', ({ ourSteps }) => ourSteps.includes('close'), ['we: close']],
    ["a setting of Go's", ({ config }) => config.closeTimeout === 5, ["Go's config: closeTimeout 5"]],
  ];

  test.each(features)('of %s is found again in the least program that has it, in words', (_what, isThere, least) => {
    for (let seed = 0; seed < 20; seed += 1) {
      const { failed, counterexample, counterexamplePath } = find(seed, isThere);
      expect(failed).toBe(true);
      const lines = fc.stringify(counterexample?.[0]).split('\n');
      const said = lines.slice(1, -1).map((line) => line.trim());
      const nothing = ['stream 1, opened by us', 'us: ends; reads by 1000', 'go: ends; reads by 1000'];
      expect(said.filter((line) => !nothing.includes(line))).toEqual(least);

      const replayed = find(seed, isThere, counterexamplePath ?? undefined);
      expect([replayed.numShrinks, replayed.counterexample]).toEqual([0, counterexample]);
    }
  });

  test('is told in words, with the line of a shell that replays it', () => {
    const [, isThere, least] = features[0] as (typeof features)[number];
    const property = fc.property(programs(role), (program) => !isThere(program));
    let report = '';
    try {
      fc.assert(property, { seed: 1, path: '', numRuns: 300 });
    } catch (error) {
      report = (error as Error).message;
    }
    for (const line of least) expect(report).toContain(line);
    const replay =
      /^Replay: FC_SEED=1 FC_PATH=([\d:]+) npx vitest run test\/interop\/program-arbitrary.test.ts -t "(.+)"$/m;
    const [, path = '', name = ''] = replay.exec(report) ?? [];
    expect(find(1, isThere, path)).toMatchObject({ failed: true, numShrinks: 0 });
    expect(expect.getState().currentTestName?.replaceAll(' > ', ' ')).toMatch(new RegExp(name));
  });

  test('is printed with its data, which is an example for the property', () => {
    const [program] = find(1, ({ streams }) => streams.length > 1).counterexample ?? [];
    const data = fc.stringify(program).split('as data: ')[1];
    expect(JSON.parse(data ?? '')).toEqual(program);
  });
});
