// A peer that sends any frames whatsoever, in any chunks. Towards an application that does nothing, the session does exactly what
// support/frame-oracle.ts says, frame for frame; towards one that does anything, it neither throws nor hangs nor leaves anything behind.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SessionOptions, YamuxSession, YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { type Frame, FrameOracle } from '../support/frame-oracle.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { facingPeer } from '../support/pairs.ts';
import { runs } from '../support/runs.ts';
import type { WirePeer } from '../support/wire-peer.ts';

const [WINDOW, MAX] = [262_144, 0xffff_ffff];
const MAX_INBOUND = 4;
const RESET_BURST = 3;

const role = fc.constantFrom('client' as const, 'server' as const);
const flags = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 6, arbitrary: fc.constantFrom(0, 0, 2, 4, 8) },
  { weight: 1, arbitrary: fc.nat(0xffff) },
);
/** A version, type or length that ends the session is rare: most of what a sequence has to say comes before. */
const rarely = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 60, arbitrary: usual }, { weight: 1, arbitrary: rare });
const version = rarely(fc.constant(0), fc.nat(255));
/** Which stream a frame is for: see choose(). */
const choice = { kind: fc.nat(29), index: fc.nat(99) };
const dataFrame = fc.record({
  ...choice,
  version,
  type: fc.constant(0),
  flags,
  length: rarely(fc.oneof(fc.nat(20), fc.constantFrom(0, 1000, WINDOW / 2)), fc.constantFrom(WINDOW, WINDOW + 1)),
});
const creditFrame = fc.record({
  ...choice,
  version,
  type: fc.constant(1),
  flags,
  length: rarely(fc.constantFrom(0, 0, 1, WINDOW), fc.constantFrom(MAX - WINDOW, MAX)),
});
const sessionFrame = fc.record({
  ...choice,
  version,
  type: rarely(fc.constantFrom(2, 2, 2, 3), fc.integer({ min: 4, max: 255 })),
  flags,
  length: rarely(fc.constant(0), fc.nat(MAX)),
});
type Intent = Omit<Frame, 'id'> & { readonly kind: number; readonly index: number };
const intents: fc.Arbitrary<Intent[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: creditFrame },
    { weight: 6, arbitrary: dataFrame },
    { weight: 1, arbitrary: sessionFrame },
  ),
  { maxLength: 60, size: 'max' },
);

/** Gives each frame its stream: a SYN mostly a new one, any other frame mostly one that was opened; else one that is as likely wrong. */
function choose(role: 'client' | 'server', intents: readonly Intent[]): Frame[] {
  const parity = role === 'server' ? 1 : 0;
  const [first, ours] = [2 - parity, [1 + parity, 3 + parity]];
  const used = [...ours];
  const anything = [0, ...ours, 5 + parity, first + 100, MAX - 1 + parity, MAX - parity];
  let next = first;
  return intents.map(({ kind, index, ...frame }) => {
    const isSyn = frame.type < 2 && (frame.flags & 1) !== 0;
    const from = kind === 0 ? anything : isSyn && kind > 1 ? [next] : used;
    const id = from[index % from.length] as number;
    if (id === next) {
      used.push(id);
      next += 2;
    }
    return { ...frame, id };
  });
}

const chunks = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(65_536, 1_000_000)), {
  minLength: 1,
});

function encode(frame: Frame): Buffer {
  const bytes = Buffer.alloc(12 + (frame.type === 0 ? frame.length : 0));
  bytes.writeUInt8(frame.version, 0);
  bytes.writeUInt8(frame.type, 1);
  bytes.writeUInt16BE(frame.flags, 2);
  bytes.writeUInt32BE(frame.id, 4);
  bytes.writeUInt32BE(frame.length, 8);
  return bytes;
}

function send(peer: WirePeer, sent: readonly Frame[], sizes: readonly number[]): void {
  const bytes = Buffer.concat(sent.map(encode));
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    // Small pieces all the way through large payloads would only take time.
    const end = at + (index < 300 ? (sizes[index % sizes.length] as number) : 65_536);
    peer.end.write(bytes.subarray(at, end));
    at = end;
  }
}

function begin(
  role: 'client' | 'server',
  options: SessionOptions,
): { clock: ManualClock; session: YamuxSession; peer: WirePeer } {
  const clock = new ManualClock();
  const limits = { maxInboundStreams: MAX_INBOUND, resetBurst: RESET_BURST, clock };
  const { session, peer } = facingPeer(role, { ...limits, ...options });
  session.on('error', () => {});
  return { clock, session, peer };
}

test('an application that does nothing: every frame has the effect that the rules name, and no other', async () => {
  await fc.assert(
    fc.asyncProperty(role, intents, chunks, fc.boolean(), async (role, intents, sizes, ends) => {
      const { clock, session, peer } = begin(role, {});
      const streams = [await session.open(), await session.open()];
      const goAways: number[] = [];
      session.on('stream', (stream) => streams.push(stream)).on('goAway', (code) => goAways.push(code));
      for (const stream of streams) stream.on('error', () => {});
      session.on('stream', (stream) => stream.on('error', () => {}));
      await peer.heard();
      const oracle = new FrameOracle(
        role,
        streams.map(({ id }) => id),
        MAX_INBOUND,
        RESET_BURST,
      );
      const frames = choose(role, intents);
      for (const frame of frames) oracle.receive(frame);
      send(peer, frames, sizes);
      compare(await peer.heard(), goAways, oracle);
      if (!oracle.isOver) {
        const live = streams.filter((stream) => oracle.live.has(stream.id) && !stream.destroyed);
        expect(session.errored).toBeNull();
        expect(session.streamCount).toBe(oracle.live.size);
        // An id that was used again belongs to the last of its streams.
        const received = new Map(live.map((stream) => [stream.id, stream.bytesRead]));
        expect(received).toEqual(new Map([...oracle.live].map(([id, stream]) => [id, stream.received])));
        for (const id of oracle.answered) expect(streams.find((stream) => stream.id === id)?.acknowledged).toBe(true);
        if (ends) peer.end.end();
        else session.destroy();
        await settle();
        const isUnclean = ends && oracle.live.size > 0;
        expect(session.errored).toEqual(
          isUnclean ? expect.objectContaining({ code: 'ERR_YAMUX_TRANSPORT_ENDED' }) : null,
        );
      } else {
        expect(session.errored).toMatchObject({ code: oracle.violated ? 'ERR_YAMUX_PROTOCOL' : 'ERR_YAMUX_GO_AWAY' });
      }
      await checkNothingIsLeft(session, clock, streams);
    }),
    runs(800),
  );
}, 600_000);

function compare(heard: readonly string[], goAways: readonly number[], oracle: FrameOracle): void {
  const answers = oracle.accepted.map((id) => `CREDIT ACK ${id} +0`);
  const pongs = oracle.pongs.map((value) => `PING ACK ${value}`);
  const resets = oracle.reset.map((id) => `CREDIT RST ${id} code 0`);
  const all = [...answers, ...pongs, ...resets, ...(oracle.violated ? ['GOAWAY 1'] : [])].sort();
  expect(goAways).toEqual(oracle.goAways);
  // A GoAway with a code ends it at once: what was to be said in that tick is not.
  if (oracle.goAways.some((code) => code !== 0)) expect(all).toEqual(expect.arrayContaining([...heard]));
  else expect([...heard].sort()).toEqual(all);
}

async function checkNothingIsLeft(
  session: YamuxSession,
  clock: ManualClock,
  streams: readonly YamuxStream[],
): Promise<void> {
  await settle();
  // A transport that was ended has five seconds to close.
  clock.advance(5000);
  for (const stream of streams) stream.resume();
  await settle();
  expect(session.state).toBe('closed');
  expect(session.streamCount).toBe(0);
  expect(streams.filter((stream) => !stream.closed).map(({ id }) => id)).toEqual([]);
  expect(clock.pending).toBe(0);
}

const habit = fc.constantFrom('nothing', 'echo', 'end', 'endAndDestroy', 'destroy', 'reset', 'write');
type Habit = typeof habit extends fc.Arbitrary<infer T> ? T : never;

function follow(habit: Habit, stream: YamuxStream): void {
  stream.on('error', () => {});
  if (habit === 'echo') stream.pipe(stream);
  else if (habit === 'end') stream.resume().end('bye');
  else if (habit === 'endAndDestroy') stream.end(Buffer.alloc(100_000)).destroy();
  else if (habit === 'destroy') stream.on('data', () => stream.destroy());
  else if (habit === 'reset') stream.on('readable', () => stream.reset(3));
  else if (habit === 'write') stream.resume().write(Buffer.alloc(2 * WINDOW));
}

test('an application that does anything: nothing throws, hangs or is left behind', async () => {
  await fc.assert(
    fc.asyncProperty(role, intents, chunks, fc.array(habit, { minLength: 1 }), async (role, intents, sizes, habits) => {
      const { clock, session, peer } = begin(role, { resetBurst: 100, maxUnacknowledged: 3, halfCloseTimeout: 1000 });
      const streams: YamuxStream[] = [];
      const use = (stream: YamuxStream): void => {
        streams.push(stream);
        follow(habits[streams.length % habits.length] as Habit, stream);
      };
      session.on('stream', use);
      const promises: Promise<unknown>[] = [];
      const wait = (promise: Promise<unknown>): number => promises.push(promise.catch(() => {}));
      wait(session.ping());
      wait(session.goAway());
      for (let opened = 0; opened < 5; opened += 1) wait(session.open().then(use));
      send(peer, choose(role, intents), sizes);
      await settle();
      const held = streams.reduce((sum, { readableLength }) => sum + readableLength, 0);
      expect(held).toBeLessThanOrEqual(streams.length * WINDOW);
      wait(session.close({ timeout: 1000 }));
      await settle();
      clock.advance(1000);
      await settle();
      // A transport that was ended behind much that the peer does not answer for has a minute.
      clock.advance(60_000);
      await Promise.all(promises);
      await checkNothingIsLeft(session, clock, streams);
    }),
    runs(500),
  );
}, 600_000);
