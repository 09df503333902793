// What the outbox holds and hands over, however much there is to send and however little is taken.

import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { YamuxStream } from '../../src/duplex/yamux-stream.ts';
import { HANDED_OVER_LIMIT, HEADER, KIB, MIB, OutboxScene, tick } from '../support/outbox-scene.ts';

test('no more than 128 KiB, and the frame that crosses them, are handed over and not taken', async () => {
  for (const maxFramePayload of [KIB, 32 * KIB, 65_524]) {
    const scene = new OutboxScene(maxFramePayload);
    scene.link.isHeld = true;
    for (let streams = 0; streams < 20; streams += 1) scene.stream().write(Buffer.alloc(200 * KIB));
    await turn();
    await turn();
    expect(scene.link.writableLength).toBeGreaterThanOrEqual(HANDED_OVER_LIMIT);
    expect(scene.link.writableLength).toBeLessThan(HANDED_OVER_LIMIT + maxFramePayload + HEADER);
  }
});

test('over a slow transport less is handed over ahead of what it takes, in smaller frames', async () => {
  const scene = new OutboxScene();
  scene.ahead = 5000;
  scene.link.isHeld = true;
  for (let streams = 0; streams < 3; streams += 1) scene.stream().write(Buffer.alloc(200 * KIB));
  await turn();
  await turn();
  expect(scene.lines).toEqual(['DATA 1 5000']);
  scene.ahead = 6000;
  scene.link.takeBatch();
  await turn();
  await turn();
  expect(scene.lines).toEqual(['DATA 1 5000', 'DATA 3 6000']);
});

test('no more than 128 KiB of control frames are handed over and not taken', async () => {
  const scene = new OutboxScene();
  scene.link.isHeld = true;
  for (let value = 0; value < 20_000; value += 1) scene.control(value);
  await turn();
  await turn();
  expect(scene.link.writableLength).toBeGreaterThan(HANDED_OVER_LIMIT - HEADER);
  expect(scene.link.writableLength).toBeLessThan(HANDED_OVER_LIMIT + HEADER);
});

test('more than 1 MiB of control frames that the transport does not take means that the peer stalls', async () => {
  const scene = new OutboxScene();
  scene.link.isHeld = true;
  const waiting = (): number => scene.outbox.queuedBytes - scene.link.writableLength;
  for (let value = 0; value < 20_000; value += 1) scene.control(value);
  await turn();
  while (waiting() + HEADER <= MIB) scene.control(0);
  await turn();
  expect(scene.told).not.toContain('stalled');
  scene.control(0);
  // Never within the call, which may come from the middle of a chunk of the transport.
  expect(scene.told).not.toContain('stalled');
  await turn();
  expect(scene.told.filter((one) => one === 'stalled').length).toBe(1);
});

test('any number of control frames in one tick is no stall over a transport that takes them', async () => {
  const scene = new OutboxScene();
  const count = 250_000;
  for (let value = 0; value < count; value += 1) scene.control(value);
  for (let turns = 0; turns < 10; turns += 1) await turn();
  expect(scene.told).not.toContain('stalled');
  expect(scene.frames.map(({ length }) => length)).toEqual(Array.from({ length: count }, (_, value) => value));
});

test('one tick hands over no more than about 1 MiB, so that reading gets its turn', async () => {
  const scene = new OutboxScene();
  for (let streams = 0; streams < 30; streams += 1) scene.stream().write(Buffer.alloc(100 * KIB));
  await tick();
  expect(scene.outbox.bytesSent).toBeGreaterThanOrEqual(MIB);
  expect(scene.outbox.bytesSent).toBeLessThan(MIB + HANDED_OVER_LIMIT + 64 * KIB);
  for (let turns = 0; turns < 5; turns += 1) await turn();
  expect(scene.streams.every(({ bytesWritten }) => bytesWritten === 100 * KIB)).toBe(true);
});

test('whatever is written, sent and taken, the transport gets whole frames that carry exactly what each stream wrote', async () => {
  const write = fc.record({
    kind: fc.constant('write' as const),
    stream: fc.nat(3),
    sizes: fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 3000, max: 5000 }), fc.nat(90_000)), { maxLength: 4 }),
  });
  const control = fc.record({ kind: fc.constant('control' as const), count: fc.constantFrom(1, 5, 3000, 12_000) });
  const other = fc.record({ kind: fc.constantFrom('turn', 'turn', 'take', 'hold', 'flow') });
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: write }, control, { weight: 3, arbitrary: other }), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(KIB, 5000, 32 * KIB, 65_524), steps, async (maxFramePayload, all) => {
      const scene = new OutboxScene(maxFramePayload);
      const written: Buffer[][] = [[], [], [], []];
      for (let streams = 0; streams < 4; streams += 1) scene.stream();
      let byte = 0;
      let controls = 0;
      for (const step of all) {
        if (step.kind === 'write') {
          const stream = scene.streams[step.stream] as YamuxStream;
          stream.cork();
          for (const size of step.sizes) {
            byte = (byte + 1) % 256;
            const chunk = Buffer.alloc(size, byte);
            written[step.stream]?.push(chunk);
            stream.write(chunk);
          }
          stream.uncork();
        } else if (step.kind === 'control') {
          for (let count = 0; count < step.count; count += 1) scene.control(controls++);
        } else if (step.kind === 'turn') await turn();
        else if (step.kind === 'take') scene.link.takeBatch();
        else scene.link.isHeld = step.kind === 'hold';
        // One frame may cross the limit; of control frames a slab of 64 KiB.
        expect(scene.link.writableLength).toBeLessThan(HANDED_OVER_LIMIT + 64 * KIB + HEADER);
      }
      for (const stream of scene.streams) stream.end();
      await scene.drain();
      const { frames } = scene;
      for (const [index, chunks] of written.entries()) {
        expect(scene.payload(index * 2 + 1).equals(Buffer.concat(chunks))).toBe(true);
      }
      const pings = frames.filter(({ type }) => type === 2).map(({ length }) => length);
      expect(pings).toEqual(Array.from({ length: controls }, (_, value) => value));
      expect(frames.filter(({ flags }) => flags === 4).length).toBe(4);
      expect(frames.every(({ type, length }) => type !== 0 || (length > 0 && length <= maxFramePayload))).toBe(true);
      // The figures that stats() shows are those of the wire.
      expect(scene.outbox.framesSent).toBe(frames.length);
      expect(scene.outbox.bytesSent).toBe(scene.link.chunks.reduce((sum, { length }) => sum + length, 0));
      expect(scene.outbox.queuedBytes).toBe(0);
      // The control bound is another test's; here it only must not be met while the transport flows.
      if (!all.some(({ kind }) => kind === 'hold')) expect(scene.told).not.toContain('stalled');
    }),
    { numRuns: 60 },
  );
}, 60_000);
