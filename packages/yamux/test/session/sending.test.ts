// The order and the shape of what goes out.

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { client } from '../../src/index.ts';
import { duplexPair, settle } from '../support/duplex-pair.ts';
import { ack, fin, ping, syn, windowUpdate } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { closed, facingPeer } from '../support/pairs.ts';

test('data frames carry at most maxFramePayload, and streams take turns, a frame a turn', async () => {
  const { session, peer } = facingPeer('client', { maxFramePayload: 4096 });
  const streams = [await session.open(), await session.open()];
  for (const stream of streams) stream.write(Buffer.alloc(3 * 4096));
  expect(await peer.heard()).toEqual([
    'CREDIT SYN 1 +0',
    'CREDIT SYN 3 +0',
    'DATA 1 4096 bytes',
    'DATA 3 4096 bytes',
    'DATA 1 4096 bytes',
    'DATA 3 4096 bytes',
    'DATA 1 4096 bytes',
    'DATA 3 4096 bytes',
  ]);
});

test('many small writes of one tick share frames', async () => {
  const { session, peer } = facingPeer('client');
  const stream = await session.open();
  for (let written = 0; written < 100; written += 1) stream.write('0123456789');
  const heard = await peer.heard();
  expect(heard.length).toBeLessThan(5);
  expect(peer.payload(1).toString()).toBe('0123456789'.repeat(100));
});

test('the answers to streams that end together are sent together', async () => {
  const { session, peer } = facingPeer('server');
  session.on('stream', (stream) => stream.resume().on('end', () => stream.end()));
  peer.send(syn(1), syn(3), syn(5));
  await settle();
  const { taken } = peer.end.other;
  const before = taken.length;
  peer.send(Buffer.concat([fin(1), fin(3), fin(5)]));
  const heard = await peer.heard();
  expect(heard.slice(-3)).toEqual(['CREDIT FIN 1 +0', 'CREDIT FIN 3 +0', 'CREDIT FIN 5 +0']);
  expect(taken.length - before).toBe(1);
});

test('a small write behind a large one does not wait for it when it is on another stream', async () => {
  const { session, peer } = facingPeer('client');
  const bulk = await session.open();
  const small = await session.open();
  bulk.write(Buffer.alloc(262_144));
  small.write('quick');
  const heard = await peer.heard();
  expect(heard.indexOf('DATA 3 "quick"')).toBe(3);
});

test('a pong, an ACK and credit go ahead of data that waits', async () => {
  const { session, peer } = facingPeer('server');
  const ours = peer.end.other;
  const stream = await session.open();
  await settle();
  ours.stall();
  stream.write(Buffer.alloc(262_144));
  await settle();
  session.on('stream', () => {});
  peer.send(ping(5), syn(1));
  await settle();
  ours.flow();
  const heard = await peer.heard();
  const after = heard.slice(heard.indexOf('PING ACK 5'));
  expect(after.slice(0, 2)).toEqual(['PING ACK 5', 'CREDIT ACK 1 +0']);
  expect(after.filter((line) => line.startsWith('DATA')).length).toBeGreaterThan(2);
});

test('no more than 128 KiB and one frame are handed over to a transport that takes nothing', async () => {
  const { session, peer } = facingPeer('client');
  const ours = peer.end.other;
  const stream = await session.open();
  await settle();
  ours.stall();
  stream.write(Buffer.alloc(262_144));
  await settle();
  expect(ours.writableLength).toBeGreaterThan(100_000);
  expect(ours.writableLength).toBeLessThanOrEqual(131_072 + 32_768 + 24);
  ours.flow();
  await settle();
  expect(peer.payload(1)).toHaveLength(262_144);
});

test('back-pressure of the transport reaches the writer', async () => {
  const { session, peer } = facingPeer('client');
  const stream = await session.open();
  await settle();
  peer.end.other.stall();
  let accepted = 0;
  for (let round = 0; round < 50; round += 1) {
    if (!stream.writableNeedDrain && stream.write(Buffer.alloc(16_384))) accepted += 1;
    await settle();
  }
  expect(stream.writableNeedDrain).toBe(true);
  expect(accepted).toBeLessThan(20);
  const drained = once(stream, 'drain');
  peer.end.other.flow();
  await drained;
});

test('a write completes when its last byte is with the transport, finish when the FIN is', async () => {
  const { session, peer } = facingPeer('client');
  const stream = await session.open();
  const events: string[] = [];
  stream.on('finish', () => events.push('finish'));
  stream.write(Buffer.alloc(262_145), () => events.push('written'));
  stream.end();
  await settle();
  expect(events).toEqual([]);
  peer.send(windowUpdate(1, 1));
  await settle();
  expect(events).toEqual(['written', 'finish']);
  expect((await peer.heard()).at(-1)).toBe('CREDIT FIN 1 +0');
});

test('an empty write completes', async () => {
  const { session } = facingPeer('client');
  const stream = await session.open();
  await new Promise((resolve) => stream.write('', resolve));
  stream.cork();
  stream.write('');
  const both = new Promise((resolve) => stream.write('', resolve));
  stream.uncork();
  await both;
});

test('a peer that pings without end and takes no answer is ended at 1 MiB of answers', async () => {
  const { session, peer } = facingPeer('server');
  const ended = closed(session);
  const errors: Error[] = [];
  session.on('error', (error) => errors.push(error));
  peer.end.other.stall();
  const flood = Buffer.concat(Array.from({ length: 5000 }, (_, value) => ping(value)));
  let rounds = 0;
  while (session.state === 'open' && rounds < 100) {
    peer.end.write(flood);
    await settle();
    rounds += 1;
  }
  await ended;
  expect(errors).toMatchObject([{ code: 'ERR_YAMUX_PEER_STALLED', scope: 'session', origin: 'remote' }]);
  expect(rounds).toBeLessThan(25);
});

test('a transport that takes nothing for writeTimeout ends the session', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock, writeTimeout: 1000, halfCloseTimeout: 0 });
  const ended = closed(session);
  const errors: Error[] = [];
  session.on('error', (error) => errors.push(error));
  const stream = await session.open();
  stream.on('error', () => {});
  await settle();
  peer.end.other.stall();
  clock.advance(5000);
  stream.write('stuck');
  await settle();
  clock.advance(999);
  expect(session.state).toBe('open');
  clock.advance(1);
  await ended;
  expect(errors).toMatchObject([{ code: 'ERR_YAMUX_WRITE_TIMEOUT' }]);
});

test('every byte that the transport takes restarts writeTimeout', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock, writeTimeout: 1000 });
  const ours = peer.end.other;
  const stream = await session.open();
  await settle();
  for (let round = 0; round < 10; round += 1) {
    ours.stall();
    stream.write('x');
    await settle();
    clock.advance(900);
    ours.flow();
    await settle();
  }
  expect(session.state).toBe('open');
});

test('a transport with a write timeout of its own is left to itself', async () => {
  const clock = new ManualClock();
  const [ours] = duplexPair();
  const session = client(Object.assign(ours, { writeTimeout: 60_000 }), { clock, keepAliveInterval: 0 });
  ours.stall();
  (await session.open()).write('stuck');
  await settle();
  clock.advance(59_000);
  expect(session.state).toBe('open');
});

test('frames of one tick leave in one write of the transport', async () => {
  const { session, peer } = facingPeer('server');
  session.on('stream', (stream) => stream.write(`to ${stream.id}`));
  peer.send(syn(1), syn(3), syn(5));
  expect(await peer.heard()).toEqual([
    'CREDIT ACK 1 +0',
    'CREDIT ACK 3 +0',
    'CREDIT ACK 5 +0',
    'DATA 1 "to 1"',
    'DATA 3 "to 3"',
    'DATA 5 "to 5"',
  ]);
  expect(peer.end.other.taken).toHaveLength(1);
});

test('the first frame of a stream is its SYN, whatever is written and ended in the same tick', async () => {
  const { session, peer } = facingPeer('client');
  const stream = await session.open();
  stream.end('all at once');
  peer.send(ack(1));
  expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0', 'DATA 1 "all at once"', 'CREDIT FIN 1 +0']);
});
