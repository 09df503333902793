// Transfers between two sessions of ours, as the test suites of other implementations have them.

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { closed, sessionPair } from '../support/pairs.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const WINDOW = 256 * KIB;

/** Tells streams and offsets apart. */
function pattern(seed: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (seed * 31 + at * 7 + (at >> 8)) & 0xff;
  return bytes;
}

async function readAll(stream: YamuxStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

test('both sides write 64 MiB over a link of 1 KiB, before either reads to its end, and finish', async () => {
  const { a, b } = sessionPair({}, { capacity: KIB });
  const total = 64 * MIB;
  const block = pattern(1, MIB);
  const outbound = await a.open();
  const inbound = await b.accept();
  const received = [outbound, inbound].map((stream) => {
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      if (chunk.compare(block, bytes % MIB, (bytes % MIB) + chunk.length) !== 0 && (bytes % MIB) + chunk.length <= MIB)
        throw new Error(`other bytes than were sent, at ${bytes}`);
      bytes += chunk.length;
    });
    for (let written = 0; written < total; written += MIB) stream.write(block);
    stream.end();
    return once(stream, 'end').then(() => bytes);
  });
  expect(await Promise.all(received)).toEqual([total, total]);
});

test('a thousand small writes, then the end: whole, and nothing stays', async () => {
  const { a, b } = sessionPair();
  const outbound = (await a.open()).resume();
  for (let written = 0; written < 1000; written += 1) outbound.write('test');
  outbound.end();
  const inbound = await b.accept();
  const isClosed = closed(outbound);
  expect((await readAll(inbound)).toString()).toBe('test'.repeat(1000));
  inbound.end();
  await isClosed;
  await settle();
  expect([a.streamCount, b.streamCount]).toEqual([0, 0]);
});

test.each([
  [1000, 1, 16],
  [100, 100, 64],
  [10, 10, 100 * KIB],
])('%d streams at once, %d messages there and back each, of %d bytes', async (streams, messages, size) => {
  const { a, b } = sessionPair({ maxUnacknowledged: 2000 }, { capacity: 4 * KIB });
  b.on('stream', (stream) => stream.pipe(stream));
  const talk = async (): Promise<boolean> => {
    const stream = await a.open();
    const all = pattern(stream.id, messages * size);
    let sent = 0;
    let received = 0;
    let wrong = 0;
    const sendNext = (): void => {
      if (sent === all.length) {
        stream.end();
        return;
      }
      stream.write(all.subarray(sent, sent + size));
      sent += size;
    };
    stream.on('data', (chunk: Buffer) => {
      if (!chunk.equals(all.subarray(received, received + chunk.length))) wrong += 1;
      received += chunk.length;
      if (received === sent) sendNext();
    });
    sendNext();
    await once(stream, 'end');
    return wrong === 0 && received === all.length;
  };
  expect(await Promise.all(Array.from({ length: streams }, talk))).not.toContain(false);
  await settle();
  expect([a.streamCount, b.streamCount]).toEqual([0, 0]);
});

test('reading half a window gives exactly one update, and the writer exactly that much', async () => {
  const { a, b } = sessionPair();
  const outbound = await a.open();
  const inbound = await b.accept();
  outbound.write(Buffer.alloc(2 * WINDOW));
  await settle();
  expect(outbound.bytesWritten).toBe(WINDOW);
  const before = b.stats().framesSent;
  for (let read = 0; read < WINDOW / 2; read += 16_384) inbound.read(16_384);
  await settle();
  expect(b.stats().framesSent - before).toBe(1);
  expect(outbound.bytesWritten).toBe(WINDOW + WINDOW / 2);
  expect(inbound.readableLength + b.stats().unreadBytes).toBe(WINDOW);
});

describe('after the half close of one side', () => {
  test('the other writes on, as much as it likes, and ends when it likes', async () => {
    const { a, b } = sessionPair();
    const outbound = await a.open();
    outbound.end('question');
    const inbound = await b.accept();
    expect((await readAll(inbound)).toString()).toBe('question');
    const answer = pattern(7, 3 * WINDOW);
    inbound.end(answer);
    const isClosed = closed(outbound);
    expect((await readAll(outbound)).equals(answer)).toBe(true);
    await isClosed;
  });

  test('the end of the session errors the reader that waits: nothing looks like the end of the answer', async () => {
    const { a, b } = sessionPair();
    const outbound = await a.open();
    outbound.end('question');
    const inbound = await b.accept();
    inbound.on('error', () => {}).write('half an ans');
    b.on('error', () => {});
    a.on('error', () => {});
    const read = readAll(outbound);
    await settle();
    b.destroy();
    await expect(read).rejects.toMatchObject({ code: 'ERR_YAMUX_TRANSPORT_ENDED' });
  });

  test('a peer that never ends its own is reset after halfCloseTimeout, and hears of it', async () => {
    const clock = new ManualClock();
    const { a, b } = sessionPair({ clock });
    const outbound = await a.open();
    outbound.end('question');
    const inbound = await b.accept();
    inbound.resume().write('beginning');
    outbound.resume();
    await settle();
    const [mine, theirs] = [once(outbound, 'error'), once(inbound, 'error')];
    clock.advance(300_000);
    expect((await mine)[0]).toMatchObject({ code: 'ERR_YAMUX_HALF_CLOSE_TIMEOUT', scope: 'stream' });
    // Both sides watch; whichever is first, both are told.
    expect((await theirs)[0]).toMatchObject({ scope: 'stream' });
    expect([a.streamCount, b.streamCount]).toEqual([0, 0]);
  });
});

describe('destroying one end', () => {
  test.each(['destroy', 'reset'] as const)(
    'by %s() wakes a reader and a writer that wait at the other',
    async (how) => {
      const { a, b } = sessionPair();
      const outbound = await a.open();
      const inbound = await b.accept();
      const written = new Promise((resolve) => outbound.write(Buffer.alloc(2 * WINDOW), resolve));
      const failed = once(outbound, 'error');
      const read = readAll(outbound);
      await settle();
      if (how === 'reset') inbound.reset(77);
      else inbound.destroy();
      const reset = { code: 'ERR_YAMUX_STREAM_RESET', errorCode: how === 'reset' ? 77 : 0, refused: false };
      await expect(read).rejects.toMatchObject(reset);
      expect(await written).toMatchObject(reset);
      expect((await failed)[0]).toMatchObject(reset);
    },
  );

  test('leaves the streams beside it alone', async () => {
    const { a, b } = sessionPair();
    b.on('stream', (stream) => stream.on('error', () => {}).pipe(stream));
    const streams = await Promise.all(Array.from({ length: 9 }, () => a.open()));
    const talks = streams.map(async (stream, index) => {
      const bytes = pattern(index, 2 * WINDOW);
      const echoed = readAll(stream);
      if (index % 3 === 0) setImmediate(() => stream.destroy(new Error('mine')));
      stream.end(bytes);
      return (await echoed).equals(bytes);
    });
    const outcomes = (await Promise.allSettled(talks)).map((talk) =>
      talk.status === 'fulfilled' ? talk.value : 'mine',
    );
    expect(outcomes).toEqual(['mine', true, true, 'mine', true, true, 'mine', true, true]);
  });
});
