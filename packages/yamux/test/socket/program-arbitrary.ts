// The programs that fast-check makes, by theme: a failure shrinks faster among its like, and says what it is about.

import fc from 'fast-check';
import {
  type Action,
  type EndName,
  FAST,
  type Heard,
  type Path,
  type Program,
  type Size,
  type Step,
} from './program.ts';
import { keep, sensible } from './sensible.ts';

export type Theme = 'plain' | 'reading' | 'writing' | 'ending' | 'throwing' | 'timing';

// Not between 16 and 64 KiB: there write() says false or true by the version of Node.
const little = fc.constantFrom(1, 3, 10, 100, 1000);
const much = fc.constantFrom(70_000, 131_073, 262_144, 300_000, 700_000, 1_200_000);
const amount = fc.oneof({ weight: 4, arbitrary: little }, { weight: 1, arbitrary: much });
const size: fc.Arbitrary<Size> = fc.oneof(
  fc.constantFrom<Size>('nothing', 'null', 'NaN'),
  fc.constantFrom<Size>(1000, 16_384, 40_000, 60_000, 65_536, 100_000, 200_000, 262_145, 400_000, 1_100_000),
);

type Weighted = fc.WeightedArbitrary<Action>;

function simple(weight: number, ...actions: ReadonlyArray<Action['do']>): Weighted {
  return { weight, arbitrary: fc.constantFrom(...actions).map((name) => ({ do: name }) as Action) };
}

function write(weight: number, sizes: fc.Arbitrary<number> = amount): Weighted {
  const as = fc.constantFrom<'buffer' | 'text' | 'callback'>('buffer', 'text', 'callback');
  return { weight, arbitrary: fc.record({ do: fc.constant('write' as const), size: sizes, as }) };
}

function end(weight: number, sizes: fc.Arbitrary<number> = fc.oneof(fc.constant(0), amount)): Weighted {
  return { weight, arbitrary: fc.record({ do: fc.constant('end' as const), size: sizes }) };
}

const readable: Weighted = { weight: 4, arbitrary: fc.record({ do: fc.constant('readable' as const), size }) };
const read: Weighted = {
  weight: 3,
  arbitrary: fc.record({
    do: fc.constant('read' as const),
    size: fc.oneof(fc.constantFrom<Size>('nothing', 'null', 'NaN'), little),
  }),
};
const exactly: Weighted = {
  weight: 3,
  arbitrary: fc.record({ do: fc.constant('exactly' as const), size: fc.oneof(little, much) }),
};
const unshift: Weighted = { weight: 1, arbitrary: fc.record({ do: fc.constant('unshift' as const), size: little }) };
const encoding: Weighted = {
  weight: 2,
  arbitrary: fc.record({
    do: fc.constant('encoding' as const),
    encoding: fc.constantFrom<'utf8' | 'hex' | 'base64' | 'latin1'>('utf8', 'hex', 'base64', 'latin1'),
  }),
};
const pipe: Weighted = {
  weight: 3,
  arbitrary: fc.record({
    do: fc.constantFrom<'pipe' | 'pipeline'>('pipe', 'pipeline'),
    to: fc.constantFrom<'sink' | 'slow sink' | 'self'>('sink', 'slow sink', 'self'),
  }),
};
const loops = simple(3, 'for await', 'iterator', 'toWeb');
const reuse: Weighted = {
  weight: 3,
  arbitrary: fc.record({
    do: fc.constant('reuse' as const),
    block: fc.constantFrom(100, 1000, 5000, 65_536, 100_000),
    blocks: fc.integer({ min: 2, max: 8 }),
  }),
};
const destroy: Weighted = {
  weight: 3,
  arbitrary: fc.record({ do: fc.constant('destroy' as const), error: fc.boolean() }),
};
const fill = simple(1, 'fill');
const delays = simple(1, 'idle');
const setTimeouts: Weighted = {
  weight: 3,
  arbitrary: fc.record({
    do: fc.constant('setTimeout' as const),
    ms: fc.constantFrom<unknown>(
      0,
      100_000,
      2 ** 31 - 1,
      2 ** 31,
      2_592_000_000,
      Number.MAX_SAFE_INTEGER,
      -1,
      '5',
      null,
    ),
  }),
};

function reaction(
  weight: number,
  events: readonly Heard[],
  acts: ReadonlyArray<'throw' | 'end' | 'destroy' | 'write' | 'resume' | 'read'>,
): Weighted {
  return {
    weight,
    arbitrary: fc.record({
      do: fc.constant('once' as const),
      event: fc.constantFrom(...events),
      act: fc.constantFrom(...acts),
    }),
  };
}

// In 'error' it would keep 'close' from coming: so does Node, on every stream. In 'end' and 'finish', too, in the one that is last.
const MAY_THROW: readonly Heard[] = ['data', 'readable', 'drain', 'close', 'timeout'];

const vocabulary: Readonly<Record<Theme, readonly Weighted[]>> = {
  plain: [write(5, little), end(1, fc.constant(0))],
  reading: [
    ...[
      simple(4, 'data'),
      readable,
      read,
      exactly,
      unshift,
      encoding,
      pipe,
      loops,
      simple(2, 'pause', 'resume', 'stop reading'),
    ],
    ...[write(12), end(3)],
  ],
  writing: [
    ...[simple(3, 'data', 'pause', 'resume'), readable, pipe, loops],
    ...[write(6), reuse, fill, simple(2, 'cork', 'uncork'), end(2), reaction(1, ['finish'], ['end', 'resume'])],
  ],
  ending: [
    ...[simple(4, 'data'), readable, read, pipe, loops, simple(2, 'pause', 'resume')],
    ...[
      write(6, little),
      end(5),
      destroy,
      simple(3, 'reset', 'destroySoon'),
      simple(2, 'die'),
      fill,
      simple(1, 'leave'),
    ],
    reaction(2, ['end', 'close', 'error'], ['end', 'destroy', 'write', 'resume', 'read']),
    // When 'finish' comes, depends on time: what the peer says in the same round is there by then, or not.
    reaction(1, ['finish'], ['end', 'resume']),
  ],
  throwing: [
    ...[
      simple(3, 'data', 'pause', 'resume'),
      { ...readable, arbitrary: fc.constant<Action>({ do: 'readable', size: 'nothing' }) },
    ],
    ...[write(5, little), end(3, fc.constant(0)), simple(1, 'idle', 'leave')],
    reaction(6, MAY_THROW, ['throw']),
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        size: fc.oneof(little, fc.constant(70_000)),
        as: fc.constant('throwing callback' as const),
      }),
    },
  ],
  timing: [
    ...[
      simple(4, 'data', 'leave', 'think'),
      readable,
      setTimeouts,
      delays,
      reaction(1, ['timeout'], ['end', 'destroy', 'write']),
    ],
    ...[write(6, fc.oneof(little, fc.constantFrom(70_000, 300_000, 1_200_000))), end(4)],
  ],
};

const slow: fc.Arbitrary<Path> = fc.record({
  rate: fc.constantFrom(0, 5000, 9000, 15_000, 25_000, 50_000, 4_000_000),
  latency: fc.constantFrom(0, 15, 500),
  preamble: fc.constantFrom(0, 0, 0, 1000, 200_000),
});

function steps(theme: Theme): fc.Arbitrary<Step[]> {
  // A kernel takes megabytes: one step in a hundred.
  const action = fc.oneof(
    ...vocabulary[theme].map((word) => ({ ...word, weight: word.weight * (word === fill ? 1 : 3) })),
  );
  const step = fc.tuple(fc.constantFrom<EndName>('a', 'b'), action).map(([end, what]): Step => ({ end, ...what }));
  return fc.array(step, { minLength: 1, maxLength: 4 });
}

export function programs(theme: Theme): fc.Arbitrary<Program> {
  const halfOpen = fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.boolean() });
  return fc
    .record({
      allowHalfOpen: theme === 'plain' ? fc.constant({ a: true, b: true }) : fc.record({ a: halfOpen, b: halfOpen }),
      path: theme === 'timing' ? slow : fc.constant(FAST),
      rounds: fc.array(steps(theme), { minLength: 1, maxLength: 5 }),
    })
    .map((program) => sensible(theme === 'plain' ? plainly(program) : program));
}

/** Both read from the beginning, and say nothing more when they have ended. */
function plainly(program: Program): Program {
  const ended = new Set<EndName>();
  const goes = keep(program, ({ end: name, do: what }) => {
    const may = !ended.has(name);
    if (what === 'end') ended.add(name);
    return may;
  });
  const reads: Step[] = [
    { end: 'a', do: 'data' },
    { end: 'b', do: 'data' },
  ];
  return { ...goes, rounds: [reads, ...goes.rounds] };
}
