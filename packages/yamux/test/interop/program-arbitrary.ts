// Programs for fast-check to generate and to shrink. None of them can wait for itself: of the two ends of a stream at most one waits
// for bytes before it writes, and no reader waits for a writer.
import fc from 'fast-check';
import type { Role } from './go-peer.ts';
import type { Cut, GoStep, Half, OurHalf, OurStep, Program, StreamPlan, Write } from './program.ts';
import { describeProgram } from './program-text.ts';

/** hashicorp's window, and the first one of ours. */
const WINDOW = 262_144;
/** Single bytes and large totals are both wanted, millions of write() calls are not. */
const MOST_CHUNKS = 1000;
/** More than any stream carries: to the end. */
const TO_THE_END = 2 ** 40;

/** For fc.oneof(): the first kind is the simplest, and the others shrink to it. */
const SIMPLEST_FIRST = { withCrossShrink: true } as const;

const size = fc.oneof(
  SIMPLEST_FIRST,
  { weight: 4, arbitrary: fc.nat(40) },
  { weight: 4, arbitrary: fc.nat(9000) },
  { weight: 2, arbitrary: fc.constantFrom(32_768, 65_536, WINDOW - 1, WINDOW, WINDOW + 1) },
  { weight: 1, arbitrary: fc.nat(4 * WINDOW) },
);

const write: fc.Arbitrary<Write> = fc
  .record({ size, chunk: fc.constantFrom(1, 2, 100, 1000, 4095, 4096, 32_768, 65_536, 2 * WINDOW) })
  .map((write) => ({ size: write.size, chunk: Math.max(write.chunk, Math.ceil(write.size / MOST_CHUNKS)) }));

const smallWrite: fc.Arbitrary<Write> = fc.record({ size: fc.nat(3000), chunk: fc.constantFrom(10, 1000, 4096) });

const pauses = fc
  .array(fc.oneof(SIMPLEST_FIRST, fc.nat(100), fc.nat(WINDOW), fc.nat(3 * WINDOW)), { maxLength: 3 })
  // A copy: the one that fast-check keeps is what it shrinks.
  .map((counts) => [...counts].sort((a, b) => a - b));

const cut: fc.Arbitrary<Cut> = fc.oneof(
  SIMPLEST_FIRST,
  fc.record({
    how: fc.constantFrom(...(['reset', 'destroy', 'fail', 'endAndDestroy'] as const)),
    after: fc.constant('bytes' as const),
    count: fc.oneof(SIMPLEST_FIRST, fc.nat(10), fc.nat(WINDOW)),
  }),
  fc.record({
    how: fc.constantFrom(...(['reset', 'destroy', 'fail', 'endAndDestroy'] as const)),
    after: fc.constant('roundTrips' as const),
    count: fc.nat(3),
  }),
);

function stream(aWrite: fc.Arbitrary<Write>): fc.Arbitrary<Omit<StreamPlan, 'id'>> {
  const half: fc.Arbitrary<Half> = fc.record({
    writes: fc.array(aWrite, { maxLength: 3 }),
    writesAfter: fc.constant(0),
    pauses,
    readSize: fc.constantFrom(1000, 16, 4096, 32_768),
  });
  return fc
    .record({
      opener: fc.constantFrom(...(['us', 'go'] as const)),
      roundTrips: fc.oneof(SIMPLEST_FIRST, { weight: 4, arbitrary: fc.constant(0) }, fc.nat(2)),
      us: half,
      go: half,
      flows: fc.boolean(),
      cut: fc.option(cut, { freq: 5 }),
      waits: fc.option(
        fc.record({
          who: fc.constantFrom(...(['us', 'go'] as const)),
          bytes: fc.oneof(SIMPLEST_FIRST, fc.nat(100), fc.nat(2 * WINDOW), fc.constant(TO_THE_END)),
        }),
        { freq: 2 },
      ),
    })
    .map(({ opener, roundTrips, us, go, flows, cut, waits }) => {
      const ours: OurHalf = { ...us, flows, cut, writesAfter: waits?.who === 'us' ? waits.bytes : 0 };
      return { opener, roundTrips, us: ours, go: { ...go, writesAfter: waits?.who === 'go' ? waits.bytes : 0 } };
    });
}

const streams = fc.oneof(
  SIMPLEST_FIRST,
  { weight: 6, arbitrary: fc.array(stream(write), { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.array(stream(smallWrite), { maxLength: 50, size: 'max' }) },
);

/** Each of them may be left out. */
const options = fc.record(
  {
    maxFramePayload: fc.constantFrom(1024, 65_524),
    maxStreamWindow: fc.constant(WINDOW),
    maxUnacknowledged: fc.constantFrom(1, 3),
    maxInboundStreams: fc.oneof(SIMPLEST_FIRST, { weight: 2, arbitrary: fc.constant(1000) }, fc.constantFrom(0, 2)),
  },
  { requiredKeys: [] },
);

const config = fc.oneof(
  SIMPLEST_FIRST,
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ maxWindow: fc.constantFrom(2 * WINDOW, 4 * WINDOW) }) },
  // More at once are refused.
  { weight: 1, arbitrary: fc.record({ acceptBacklog: fc.constantFrom(1, 3) }) },
  // A half-closed stream is taken down by force: the one way to have hashicorp send RST on a stream that it has accepted.
  { weight: 1, arbitrary: fc.record({ closeTimeout: fc.constantFrom(1, 5) }) },
);

const pings = fc.array(fc.constant('ping' as const), { maxLength: 3 });

/** Mostly nothing; else some round trips, and then something that changes the session. */
function steps<Step extends string>(last: readonly Step[]): fc.Arbitrary<Array<Step | 'ping'>> {
  const ended = fc
    .tuple(pings, fc.constantFrom(...last), pings)
    .map(([before, step, after]) => [...before, step, ...after]);
  return fc.oneof(SIMPLEST_FIRST, { weight: 5, arbitrary: pings }, { weight: 1, arbitrary: ended });
}

export function programs(role: Role): fc.Arbitrary<Program> {
  return fc
    .record({
      options,
      config,
      streams,
      ourSteps: steps<OurStep>(['goAway', 'close', 'destroy']),
      goSteps: steps<GoStep>(['goAway', 'close']),
      closer: fc.constantFrom(...(['us', 'go'] as const)),
    })
    .map((generated) => legible({ ...generated, role, streams: withIds(role, generated.streams) }));
}

/** fast-check prints it in words. */
function legible(program: Program): Program {
  return Object.defineProperty(program, fc.toStringMethod, { value: () => describeProgram(program) });
}

/** Each end opens its streams in order: their ids follow. */
function withIds(role: Role, plans: ReadonlyArray<Omit<StreamPlan, 'id'>>): StreamPlan[] {
  const next = role === 'client' ? { us: 1, go: 2 } : { us: 2, go: 1 };
  return plans.map((plan) => {
    const id = next[plan.opener];
    next[plan.opener] += 2;
    return { id, ...plan };
  });
}
