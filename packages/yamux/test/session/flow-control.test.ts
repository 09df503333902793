// Windows: what may be sent, what is credited, and when.

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { collectGarbage } from '../support/collect-garbage.ts';
import { settle } from '../support/duplex-pair.ts';
import { ack, data, FIN, fin, SYN, syn, windowUpdate } from '../support/frames.ts';
import { facingPeer, sessionPair } from '../support/pairs.ts';

const WINDOW = 262_144;
const HALF = WINDOW / 2;

test('exactly 262144 bytes go out before the peer grants more, and exactly what it grants goes out then', async () => {
  const { session, peer } = facingPeer('client');
  const stream = await session.open();
  stream.write(Buffer.alloc(WINDOW + 100));
  await peer.heard();
  expect(peer.payload(1)).toHaveLength(WINDOW);
  peer.send(windowUpdate(1, 99));
  await settle();
  expect(peer.payload(1)).toHaveLength(WINDOW + 99);
  peer.send(ack(1, 1));
  await settle();
  expect(peer.payload(1)).toHaveLength(WINDOW + 100);
});

test('a delta on the SYN of the peer is credit for us', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1, 1000));
  const stream = await session.accept();
  stream.write(Buffer.alloc(WINDOW + 2000));
  await settle();
  expect(peer.payload(1)).toHaveLength(WINDOW + 1000);
});

test('credit is returned at half the window, for what was consumed, in one frame', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1), data(1, Buffer.alloc(HALF - 1)));
  const stream = await session.accept();
  stream.resume();
  expect(await peer.heard()).toEqual(['CREDIT ACK 1 +0']);
  peer.send(data(1, 'x'));
  expect(await peer.heard()).toEqual([`CREDIT 1 +${HALF}`]);
});

test('what is received and not asked for is never credited', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1), data(1, Buffer.alloc(WINDOW)));
  const stream = await session.accept();
  expect(await peer.heard()).toEqual(['CREDIT ACK 1 +0']);
  // Node keeps one highWaterMark ahead of what is read.
  expect(stream.readableLength).toBe(stream.readableHighWaterMark);
  expect(await peer.heard()).toEqual([]);
  // Who reads asks for the next 64 KiB, and that makes half a window.
  expect(stream.read(1024)).toHaveLength(1024);
  expect(await peer.heard()).toEqual([`CREDIT 1 +${HALF}`]);
});

test('a read(n) of more than the window is granted what it asks for', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1), data(1, Buffer.alloc(WINDOW)));
  const stream = await session.accept();
  await peer.heard();
  expect(stream.read(WINDOW + 1)).toBe(null);
  expect(await peer.heard()).toEqual([`CREDIT 1 +${HALF}`, `CREDIT 1 +${HALF}`]);
  peer.send(data(1, 'x'));
  await settle();
  expect(stream.read(WINDOW + 1)).toHaveLength(WINDOW + 1);
});

test('with an encoding, no more is credited than the characters that Node keeps ahead', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1));
  const stream = (await session.accept()).setEncoding('utf8');
  await peer.heard();
  peer.send(data(1, '\u6f22'.repeat(65_536)));
  expect(await peer.heard()).toEqual([`CREDIT 1 +${HALF}`]);
  expect(stream.readableLength).toBeLessThanOrEqual(stream.readableHighWaterMark);
  let length = 0;
  for (let text = stream.read(); text !== null; text = stream.read()) length += text.length;
  expect(length).toBe(65_536);
  expect(await peer.heard()).toEqual([]);
});

test('one byte past the window is seen in the header, before the body', async () => {
  const { session, peer } = facingPeer('server');
  session.on('error', () => {});
  peer.send(syn(1), data(1, Buffer.alloc(WINDOW)));
  const stream = await session.accept();
  const failed = once(stream, 'error');
  await peer.heard();
  peer.send(data(1, 'x').subarray(0, 12));
  const [error] = await failed;
  expect(error).toMatchObject({ code: 'ERR_YAMUX_PROTOCOL', scope: 'session', origin: 'remote' });
  expect(await peer.heard()).toEqual(['GOAWAY 1']);
});

test('a frame as large as the window is delivered as it arrives, not assembled', async () => {
  const { session, peer } = facingPeer('server');
  const bytes = data(1, Buffer.alloc(WINDOW), SYN | FIN);
  peer.end.write(bytes.subarray(0, 100_000));
  const stream = await session.accept();
  await settle();
  expect(stream.readableLength + session.stats().unreadBytes).toBe(100_000 - 12);
});

test('nothing is credited on a stream that the peer has ended, or that is over', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1), data(1, Buffer.alloc(WINDOW)), fin(1));
  const stream = await session.accept();
  await peer.heard();
  stream.resume();
  await once(stream, 'end');
  expect(await peer.heard()).toEqual([]);
});

test('a stream that nobody reads stops at its window, and another one beside it goes on', async () => {
  const { a, b } = sessionPair();
  const stuck = await a.open();
  const moving = await a.open();
  const [stuckThere, movingThere] = [await b.accept(), await b.accept()];
  movingThere.end();
  stuck.write(Buffer.alloc(4 * WINDOW));
  const total = 40 * WINDOW;
  moving.end(Buffer.alloc(total));
  let received = 0;
  for await (const chunk of movingThere) received += (chunk as Buffer).length;
  expect(received).toBe(total);
  expect(stuckThere.readableLength + b.stats().unreadBytes).toBe(WINDOW);
  expect(stuckThere.bytesRead).toBe(WINDOW);
});

test('both sides write 8 MiB over a link of 1 KiB capacity, and finish: reading never waits for writing', async () => {
  const { a, b } = sessionPair({}, { capacity: 1024 });
  const total = 8 * 1024 * 1024;
  const outbound = await a.open();
  const inbound = await b.accept();
  let received = 0;
  for (const stream of [outbound, inbound]) {
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    stream.end(Buffer.alloc(total));
  }
  await Promise.all([once(outbound, 'close'), once(inbound, 'close')]);
  expect(received).toBe(2 * total);
});

test('many unread one-byte frames pin no chunks of the transport', async () => {
  const { session, peer } = facingPeer('server');
  const accepted = session.accept();
  peer.send(syn(1));
  const stream = await accepted;
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  const filler = Buffer.alloc(65_000);
  for (let sent = 0; sent < 2000; sent += 1) {
    // Each byte comes in a chunk of its own, with 65,000 bytes of a stream that nobody opened.
    peer.end.write(Buffer.concat([data(1, 'x'), data(3, filler)]));
    if (sent % 20 === 0) await settle();
  }
  await settle();
  // What the pair itself wrote down, and what is garbage, does not count.
  peer.end.taken.length = 0;
  collectGarbage();
  await settle();
  collectGarbage();
  const pinned = process.memoryUsage().arrayBuffers - before;
  expect(stream.bytesRead).toBe(2000);
  expect(pinned).toBeLessThan(1024 * 1024);
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await settle();
  expect(bytes).toBe(2000);
});
