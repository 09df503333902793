// A peer that wants us to hold more than it sends: lengths that lie, crumbs that pin the chunks they came in.

import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { YamuxStream } from '../../src/index.ts';
import { CHUNK, FloodScene, KIB, liveBytes, MIB, NOISE, pinnedBy, WINDOW } from '../support/flood-scene.ts';
import { data, frame, RST, rst, SYN, syn } from '../support/frames.ts';

let scene: FloodScene;

afterEach(() => {
  scene.session.destroy();
});

/** What unread data may keep alive: twice the window that was granted, and 64 KiB. */
const PIN_BOUND = 2 * WINDOW + 64 * KIB;

/** A stream that its application has accepted and does not read. */
async function unread(): Promise<YamuxStream> {
  scene = new FloodScene();
  let stream: YamuxStream | undefined;
  scene.accept((accepted) => {
    stream = accepted;
  });
  await scene.send(syn(1));
  await scene.flush();
  return stream as YamuxStream;
}

/** A chunk of `size` bytes that begins with `head`; the rest is payload of a stream that nobody opened. */
function padded(head: Buffer, size: number): Buffer {
  const rest = size - head.length - 12;
  return rest < 0 ? head : Buffer.concat([head, data(999, Buffer.alloc(rest))]);
}

async function chunksOf(stream: YamuxStream): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await turn();
  await turn();
  return chunks;
}

describe('a length of 4 GiB', () => {
  const HUGE = 0xffff_ffff;

  test('on a stream that nobody opened is skipped as it comes, and nothing of it is kept', async () => {
    scene = new FloodScene();
    const before = await liveBytes();
    await scene.send(frame(0, 0, 7, HUGE));
    const part = Buffer.alloc(CHUNK);
    for (let sent = 0; sent < 128 * MIB; sent += CHUNK) await scene.send(part);
    expect(scene.session.stats().bytesReceived).toBe(12 + 128 * MIB);
    expect(scene.link.heard.size).toBe(0);
    expect(scene.session.state).toBe('open');
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
  });

  test('on a stream that is refused is skipped too', async () => {
    scene = new FloodScene({ acceptBacklog: 0 });
    const before = await liveBytes();
    await scene.send(frame(0, SYN, 1, HUGE));
    const part = Buffer.alloc(CHUNK);
    for (let sent = 0; sent < 64 * MIB; sent += CHUNK) await scene.send(part);
    expect(scene.heard('CREDIT', RST)).toBe(1);
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
  });

  test('on a live stream ends the session by its header alone', async () => {
    const stream = await unread();
    await scene.send(frame(0, 0, 1, HUGE));
    await scene.flush();
    expect(scene.error).toMatchObject({ code: 'ERR_YAMUX_PROTOCOL' });
    expect(scene.heard('GOAWAY')).toBe(1);
    expect(stream.bytesRead).toBe(0);
  });

  test('and so does one byte past the window', async () => {
    const stream = await unread();
    await scene.send(data(1, Buffer.alloc(WINDOW)), frame(0, 0, 1, 1));
    await scene.flush();
    expect(scene.error).toMatchObject({ code: 'ERR_YAMUX_PROTOCOL' });
    expect(stream.bytesRead).toBe(WINDOW);
  });
});

describe('what nobody reads', () => {
  /** In the Duplex, as far as Node asked for it, and behind that in the wire stream. */
  const waiting = (stream: YamuxStream): number => stream.readableLength + scene.session.stats().unreadBytes;

  test('may be one byte in each chunk of 64 KiB: 256 MiB pass, and pin no more than the bytes that wait', async () => {
    const stream = await unread();
    const before = await liveBytes();
    for (let sent = 0; sent < 4096; sent += 1) await scene.send(padded(data(1, 'x'), CHUNK));
    await scene.flush();
    expect(waiting(stream)).toBe(4096);
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
    expect(pinnedBy(await chunksOf(stream))).toBeLessThanOrEqual(2 * 4096 + 64 * KIB);
  });

  test('may be a whole window of one-byte frames: they are not kept as objects', async () => {
    const stream = await unread();
    const before = await liveBytes();
    for (let sent = 0; sent < WINDOW; sent += 1) await scene.send(data(1, 'x'));
    await scene.flush();
    expect(waiting(stream)).toBe(WINDOW);
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
    const chunks = await chunksOf(stream);
    expect(chunks.length).toBeLessThan(200);
    expect(pinnedBy(chunks)).toBeLessThanOrEqual(PIN_BOUND);
  });

  test('may come in a transport that delivers byte by byte', async () => {
    const stream = await unread();
    const before = await liveBytes();
    const bytes = data(1, Buffer.alloc(100_000));
    for (let at = 0; at < bytes.length; at += 1) scene.deliver(bytes.subarray(at, at + 1));
    await scene.flush();
    expect(waiting(stream)).toBe(100_000);
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
  });

  test('pins at most twice the window and 64 KiB, whatever the sizes of frames and chunks', async () => {
    const sizes = fc.oneof(
      fc.constantFrom(1, 1023, 1024, 4096, 4097, 8191, 8192, 16_384, 32_768, 65_536),
      fc.integer({ min: 1, max: 65_536 }),
    );
    const chunk = fc.record({ payload: sizes, size: fc.oneof(fc.constant(CHUNK), fc.nat(CHUNK), fc.nat(MIB)) });
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { minLength: 1, maxLength: 3 }), async (cycle) => {
        const stream = await unread();
        let left = WINDOW;
        for (let sent = 0; left > 0 && sent < 400; sent += 1) {
          const { payload, size } = cycle[sent % cycle.length] as (typeof cycle)[number];
          const bytes = Math.min(payload, left);
          left -= bytes;
          scene.deliver(padded(data(1, Buffer.alloc(bytes)), size));
        }
        await scene.flush();
        expect(waiting(stream)).toBe(WINDOW - left);
        expect(pinnedBy(await chunksOf(stream))).toBeLessThanOrEqual(2 * (WINDOW - left) + 64 * KIB);
        scene.session.destroy();
      }),
      { numRuns: 40 },
    );
  });

  test('is discarded when the peer resets, but for what Node holds as of any socket, also if the application keeps the stream', async () => {
    scene = new FloodScene();
    const streams: YamuxStream[] = [];
    scene.accept((accepted) => streams.push(accepted));
    const before = await liveBytes();
    const payload = Buffer.alloc(WINDOW);
    for (let id = 1; id < 200; id += 2) await scene.send(data(id, payload, SYN), rst(id));
    await scene.flush();
    expect(streams.map((stream) => stream.bytesRead)).toEqual(Array.from({ length: 100 }, () => WINDOW));
    expect(scene.session.streamCount).toBe(0);
    expect(scene.session.stats()).toMatchObject({ keptStreams: 0, unreadBytes: 0 });
    const held = streams.reduce((bytes, stream) => bytes + stream.readableLength, 0);
    expect(held).toBeLessThanOrEqual(100 * 64 * KIB);
    expect((await liveBytes()) - before).toBeLessThan(2 * held + NOISE);
  });
});

test('data in crumbs that is read costs nothing, and credit for it goes out by the half window', async () => {
  scene = new FloodScene();
  const before = await liveBytes();
  let received = 0;
  scene.accept((stream) =>
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    }),
  );
  await scene.send(syn(1));
  for (let sent = 0; sent < 2 * WINDOW; sent += 1) await scene.send(data(1, 'x'));
  await scene.flush();
  expect(received).toBe(2 * WINDOW);
  expect(scene.heard('CREDIT')).toBe(4);
  expect((await liveBytes()) - before).toBeLessThan(NOISE);
});
