import { expect, test } from 'vitest';
import { type RoundOutcome, type TunnelCase, tunnelCases } from '../../src/tunnel/cases.ts';

const MIB = 1_048_576;
const used = (cpuMs: number, mib: number): RoundOutcome['near'] => ({ cpuMs, peakMemory: mib * MIB });

function caseOf(name: string): TunnelCase {
  return tunnelCases.find((one) => one.name === name) as TunnelCase;
}

/** By the names of the figures, without their common prefix. */
function read(name: string, outcome: RoundOutcome): Readonly<Record<string, number>> {
  const one = caseOf(name);
  return Object.fromEntries(
    one.read(outcome).map((value, at) => [one.figures[at]?.name.slice(name.length) ?? '?', value]),
  );
}

const seconds = 2;
const small = { requests: 1000, p50: 3, p99: 9 };

test('requests are counted per second, and resources per request', () => {
  const outcome = { seconds, groups: [small], near: used(400, 80), far: used(200, 70) };
  expect(read('tunnel-small', outcome)).toEqual({
    '': 500,
    '-p50': 3,
    '-p99': 9,
    '-cpu': expect.closeTo(0.6),
    '-cpu-near': 0.4,
    '-cpu-far': 0.2,
    '-memory-near': 80,
    '-memory-far': 70,
  });
});

test('with one process in between its use is the total; with none there is none', () => {
  const one = { seconds, groups: [small], near: used(400, 80), far: undefined };
  expect(read('tunnel-small', one)).toMatchObject({ '-cpu': 0.4, '-cpu-near': 0.4, '-cpu-far': Number.NaN });
  const none = { ...one, near: undefined };
  expect(read('tunnel-small', none)).toMatchObject({ '': 500, '-cpu': Number.NaN, '-memory-near': Number.NaN });
});

test('beside downloads the times are those of the small responses, and the speed is that of the downloads', () => {
  const groups = [small, { requests: 4, p50: 900, p99: 1000 }];
  expect(read('tunnel-beside', { seconds, groups, near: used(1, 80), far: used(1, 70) })).toEqual({
    '-p50': 3,
    '-p99': 9,
    '-rate': 500,
    '-speed': 128,
    '-memory-near': 80,
    '-memory-far': 70,
  });
});

test.each(tunnelCases)('$name returns as many values as it has figures', (one) => {
  const groups = one.groups.map(() => small);
  expect(one.read({ seconds, groups, near: used(1, 1), far: used(1, 1) })).toHaveLength(one.figures.length);
});
