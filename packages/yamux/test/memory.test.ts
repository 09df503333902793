// The documented formula for the worst case, against what the process really uses: in the default options, with all its terms at once.

import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type SessionOptions, WindowBudget, type YamuxStream } from '../src/index.ts';
import { CHUNK, FloodScene, KIB, liveBytes, MIB, NOISE, WINDOW } from './support/flood-scene.ts';
import { data, ping, syn } from './support/frames.ts';

const STREAMS = 1000;
const CONTROL = MIB;
const HANDED_OVER = 128 * KIB;
const WRITABLE = 64 * KIB;
/** What the application writes at once: a write() that begins below the highWaterMark may go so far past it. */
const PIECE = 16 * KIB;
/** The objects of a stream that holds nothing. */
const IDLE = 4 * KIB;
/** The objects of a stream and of what it holds: Buffers, and pieces of a chunk that were copied. */
const OBJECTS = 12 * KIB;

let scene: FloodScene;
let streams: YamuxStream[];

afterEach(() => {
  scene.session.destroy();
  streams = [];
});

/** A session with `count` streams of the peer, accepted and left alone; and the memory in use before there was any. */
async function withStreams(count: number, options: SessionOptions = {}): Promise<number> {
  streams = [];
  scene = new FloodScene(options);
  scene.accept((stream) => streams.push(stream));
  const before = await liveBytes();
  for (let id = 1; id < 2 * count; id += 2) await scene.send(syn(id));
  await scene.flush();
  expect(streams).toHaveLength(count);
  return before;
}

/** Writes for ever, as a pipe does: on until write() says no, and again at 'drain'. */
function writeOnAndOn(stream: YamuxStream): void {
  const write = (): void => {
    while (stream.write(Buffer.allocUnsafeSlow(PIECE)));
  };
  stream.on('drain', write);
  write();
}

test('a thousand idle streams cost their objects and nothing else', async () => {
  const before = await withStreams(STREAMS);
  expect((await liveBytes()) - before).toBeLessThan(STREAMS * IDLE + NOISE);
});

test('all at once, a thousand streams unread and written to and no answer taken, stay within the formula', async () => {
  const before = await withStreams(STREAMS);
  scene.link.isStuck = true;
  const payload = Buffer.alloc(CHUNK - 12);
  for (const { id } of streams) {
    for (let left = WINDOW; left > 0; left -= payload.length) await scene.send(data(id, payload.subarray(0, left)));
  }
  streams.forEach(writeOnAndOn);
  for (let sent = 0; (sent + 1) * 12 < CONTROL; sent += 1) await scene.send(ping(sent));
  await scene.flush();
  expect(scene.session.state).toBe('open');
  // The peer has got all out of each term.
  expect(unread()).toBe(STREAMS * WINDOW);
  expect(sum(streams, ({ writableLength }) => writableLength)).toBeGreaterThan((STREAMS - 4) * WRITABLE);
  expect(scene.session.stats().queuedBytes).toBeGreaterThan(CONTROL);

  const formula = STREAMS * WINDOW + CONTROL + HANDED_OVER + STREAMS * WRITABLE;
  const used = (await liveBytes()) - before;
  expect(used).toBeGreaterThan(STREAMS * WINDOW);
  expect(used).toBeLessThan(formula + STREAMS * OBJECTS + NOISE);

  scene.session.destroy();
  streams = [];
  await turn();
  expect((await liveBytes()) - before).toBeLessThan(NOISE);
});

test('a peer that reads and gives no credit leaves in each stream what its highWaterMark allows', async () => {
  const before = await withStreams(STREAMS);
  streams.forEach(writeOnAndOn);
  for (let turns = 0; turns < 10_000 && scene.session.stats().bytesSent < STREAMS * WINDOW; turns += 1) await turn();
  for (let turns = 0; turns < 10; turns += 1) await turn();
  expect(sum(streams, ({ bytesWritten }) => bytesWritten)).toBe(STREAMS * WINDOW);
  expect(Math.max(...streams.map(({ writableLength }) => writableLength))).toBeLessThan(WRITABLE + PIECE);
  expect((await liveBytes()) - before).toBeLessThan(STREAMS * (WRITABLE + PIECE + OBJECTS) + NOISE);
});

test('grown windows hold no more than the budget beyond 256 KiB each, and pin at most twice what they hold', async () => {
  const count = 8;
  const budget = new WindowBudget(64 * MIB);
  const before = await withStreams(count, { windowBudget: budget });
  await scene.measureRoundTrip(100);
  const sent = new Map<number, number>();
  const creditOf = (id: number): number => (scene.link.credit.get(id) ?? WINDOW) - (sent.get(id) ?? 0);
  /** The peer sends all that it may, in chunks of which half is payload of another. */
  const fill = async (): Promise<void> => {
    for (const { id } of streams) {
      for (let left = creditOf(id); left > 0; left -= CHUNK / 2) {
        const bytes = Math.min(left, CHUNK / 2);
        sent.set(id, (sent.get(id) ?? 0) + bytes);
        scene.deliver(Buffer.concat([data(id, Buffer.alloc(bytes)), data(999, Buffer.alloc(CHUNK / 2 - 24))]));
      }
      await turn();
    }
  };
  for (const stream of streams) stream.resume();
  for (let rounds = 0; rounds < 20 && budget.used < budget.size; rounds += 1) {
    scene.clock.advance(100);
    await fill();
  }
  expect(budget.used).toBe(budget.size);
  await fill();
  for (const stream of streams) stream.pause();
  await fill();
  const held = unread();
  expect(scene.session.state).toBe('open');
  // What was consumed and not credited yet is less than half of a window.
  expect(held).toBeGreaterThan((count * WINDOW + budget.size) / 2);
  expect(held).toBeLessThanOrEqual(count * WINDOW + budget.size);
  expect((await liveBytes()) - before).toBeLessThan(2 * held + count * (64 * KIB + OBJECTS) + NOISE);
  for (const stream of streams) stream.destroy();
  await turn();
  expect(budget.used).toBe(0);
});

/** What arrived and was not read: in the Duplexes, as far as Node asked for it, and behind that in the wire streams. */
function unread(): number {
  return sum(streams, ({ readableLength }) => readableLength) + scene.session.stats().unreadBytes;
}

function sum(all: readonly YamuxStream[], figure: (stream: YamuxStream) => number): number {
  return all.reduce((total, stream) => total + figure(stream), 0);
}
