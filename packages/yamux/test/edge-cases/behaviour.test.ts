// Edge cases in which implementations differ, and in which the application, the transport or time has a part.

import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { StreamTable } from '../../src/session/stream-table.ts';
import { settle } from '../support/duplex-pair.ts';
import { ACK, ack, data, FIN, fin, frame, ping, pong, rst, SYN, syn, windowUpdate } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { closed, facingPeer } from '../support/pairs.ts';

const WINDOW = 262_144;
const MAX = 0xffff_ffff;

describe('the ACK', () => {
  test.each([
    ['before anything else', [syn(1)], []],
    ['when data has come', [data(1, 'x', SYN), data(1, 'y')], []],
    ['when the stream has ended', [data(1, 'x', SYN | FIN)], []],
    ['when our FIN is the only other word', [syn(1), fin(1)], ['CREDIT FIN 1 +0']],
  ])('goes out once, at hand-over and not before: %s', async (_when, send, hears) => {
    const { session, peer } = facingPeer('server');
    peer.send(...send);
    expect(await peer.heard()).toEqual([]);
    const stream = await session.accept();
    if (hears.length > 0) stream.end();
    expect(await peer.heard()).toEqual(['CREDIT ACK 1 +0', ...hears]);
    stream.resume().end();
    const rest = await peer.heard();
    expect(rest.filter((line) => line.includes('ACK'))).toEqual([]);
  });

  test('is not sent for a stream that was reset before anybody had it', async () => {
    const { session, peer } = facingPeer('server');
    peer.send(syn(1), rst(1), syn(3));
    await settle();
    expect((await session.accept()).id).toBe(3);
    expect(await peer.heard()).toEqual(['CREDIT ACK 3 +0']);
  });
});

describe('slots of streams that the peer has not answered', () => {
  const answers: ReadonlyArray<readonly [string, Buffer]> = [
    ['ACK', ack(1)],
    ['data', data(1, 'x')],
    ['credit', windowUpdate(1, 1)],
    ['FIN', fin(1)],
    ['RST', rst(1)],
  ];

  test.each(answers)('%s frees the one of its stream, once, however often it comes', async (_name, answer) => {
    const { session, peer } = facingPeer('client', { maxUnacknowledged: 2 });
    for (let opened = 0; opened < 2; opened += 1) (await session.open()).on('error', () => {}).resume();
    const waiting = [session.open(), session.open()];
    peer.send(answer, ack(1), ack(1), ack(99));
    expect((await waiting[0])?.id).toBe(5);
    await settle();
    expect(session.stats()).toMatchObject({ unacknowledged: 2, waitingOpens: 1 });
    peer.send(ack(3));
    expect((await waiting[1])?.id).toBe(7);
  });

  test('ending both directions before any ACK frees one: hashicorp may never send it', async () => {
    const { session, peer } = facingPeer('client', { maxUnacknowledged: 1 });
    const stream = await session.open();
    const waiting = session.open();
    stream.resume().end();
    await settle();
    expect(session.stats()).toMatchObject({ unacknowledged: 1, waitingOpens: 1 });
    peer.send(fin(1));
    expect((await waiting).id).toBe(3);
    expect(session.stats()).toMatchObject({ unacknowledged: 1, waitingOpens: 0 });
  });
});

describe('a stream that both sides have ended', () => {
  test('is forgotten: whatever still comes for it is skipped in silence', async () => {
    const { session, peer } = facingPeer('server');
    peer.send(syn(1), fin(1));
    (await session.accept()).resume().end();
    expect(await peer.heard()).toEqual(['CREDIT ACK 1 +0', 'CREDIT FIN 1 +0']);
    peer.send(windowUpdate(1, MAX), data(1, 'late'), fin(1), ack(1), rst(1, 5));
    peer.send(frame(0, 0, 1, WINDOW + 1), Buffer.alloc(WINDOW + 1), ping(1));
    expect(await peer.heard()).toEqual(['PING ACK 1']);
    expect(session.stats()).toMatchObject({ streams: 0, queuedBytes: 0 });
  });

  test('leaves its id free for another one, with windows of its own', async () => {
    const { session, peer } = facingPeer('server');
    for (let life = 0; life < 3; life += 1) {
      peer.send(syn(1), data(1, Buffer.alloc(WINDOW)), fin(1));
      const stream = await session.accept();
      stream.resume().end(Buffer.alloc(WINDOW));
      await once(stream, 'close');
    }
    expect(session.stats()).toMatchObject({ streams: 0, bytesReceived: 3 * (WINDOW + 36) });
  });
});

test("credit that comes after the peer's own FIN is credit", async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1), fin(1));
  const stream = await session.accept();
  stream.end(Buffer.alloc(WINDOW + 10));
  await settle();
  expect(peer.payload(1)).toHaveLength(WINDOW);
  peer.send(windowUpdate(1, 10));
  expect((await peer.heard()).at(-1)).toBe('CREDIT FIN 1 +0');
  expect(peer.payload(1)).toHaveLength(WINDOW + 10);
});

test("a reset after the peer's FIN wakes an echo that waits for its write: the rest is read, and the error comes", async () => {
  const { session, peer } = facingPeer('server', { halfCloseTimeout: 0 });
  const errors: unknown[] = [];
  session.on('stream', (stream) => stream.on('error', (error) => errors.push(error)).pipe(stream));
  peer.sendInPieces(65_536, syn(1), data(1, Buffer.alloc(WINDOW)), fin(1), rst(1, 7));
  await settle();
  expect(errors).toMatchObject([{ code: 'ERR_YAMUX_STREAM_RESET', errorCode: 7 }]);
});

test('one frame of more than 1 MiB is taken, where the window has grown to it', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('server', { clock });
  const pinged = session.ping();
  await settle();
  clock.advance(20);
  peer.send(pong(1), syn(1));
  await pinged;
  const stream = (await session.accept()).resume();
  await peer.heard();
  let granted = WINDOW;
  while (granted <= 2 ** 20) {
    clock.advance(20);
    peer.send(data(1, Buffer.alloc(granted)));
    const deltas = (await peer.heard()).map((line) => Number(/^CREDIT 1 \+(\d+)$/.exec(line)?.[1]));
    expect(deltas).not.toEqual([]);
    granted = deltas.reduce((sum, delta) => sum + delta);
  }
  peer.send(data(1, Buffer.alloc(granted), FIN));
  await once(stream, 'end');
  expect(granted).toBeGreaterThan(2 ** 20);
  expect(stream.errored).toBeNull();
});

describe('a transport that ends inside the payload of a stream that nobody opened', () => {
  test('ends the session uncleanly, though no stream was live', async () => {
    const { session, peer } = facingPeer('client');
    const failed = once(session, 'error');
    peer.send(frame(0, 0, 2, MAX), Buffer.alloc(100));
    peer.end.end();
    expect((await failed)[0]).toMatchObject({ code: 'ERR_YAMUX_TRANSPORT_ENDED' });
    expect(session.stats()).toMatchObject({ streams: 0 });
  });
});

describe('pings', () => {
  test('2,000 at once are answered in their order, each with its value', async () => {
    const { peer } = facingPeer('server');
    const values = Array.from({ length: 2000 }, (_, index) => (index * 0x9e37_79b9) >>> 0);
    peer.send(...values.map(ping));
    expect(await peer.heard()).toEqual(values.map((value) => `PING ACK ${value}`));
  });

  test('answers that come out of order: the one to the ping under way counts, on whatever stream id it comes', async () => {
    const clock = new ManualClock();
    const { session, peer } = facingPeer('client', { clock });
    const lost = session.ping();
    await settle();
    clock.advance(10_000);
    await expect(lost).rejects.toMatchObject({ code: 'ERR_YAMUX_PING_TIMEOUT' });
    const second = session.ping();
    clock.advance(7);
    peer.send(pong(1), pong(3), frame(2, ACK, 9, 2), pong(2), pong(1));
    await expect(second).resolves.toBe(7);
    expect(await peer.heard()).toEqual(['PING SYN 1', 'PING SYN 2']);
    expect(session.state).toBe('open');
  });
});

describe('stream ids', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('are used to the last one; then open() is refused, the session drains, and live streams go on', async () => {
    const takeId = vi.spyOn(StreamTable.prototype, 'takeId');
    takeId
      .mockReturnValueOnce(MAX - 2)
      .mockReturnValueOnce(MAX)
      .mockReturnValue(undefined);
    const { session, peer } = facingPeer('client', { maxUnacknowledged: 2 });
    const streams = [await session.open(), await session.open()];
    const waiting = session.open();
    waiting.catch(() => {});
    peer.send(ack(MAX - 2), data(MAX, 'hello'));
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_YAMUX_STREAMS_EXHAUSTED', scope: 'session' });
    await expect(session.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_STREAMS_EXHAUSTED' });
    expect(session.state).toBe('draining');
    const syns = [`CREDIT SYN ${MAX - 2} +0`, `CREDIT SYN ${MAX} +0`];
    expect(await peer.heard()).toEqual(syns);
    streams[1]?.write('world');
    peer.send(syn(2));
    (await session.accept()).write('theirs');
    expect((await peer.heard()).sort()).toEqual(['CREDIT ACK 2 +0', 'DATA 2 "theirs"', `DATA ${MAX} "world"`]);
    expect(streams[1]?.read().toString()).toBe('hello');
  });
});

describe('the GoAway of a protocol error', () => {
  test('reaches the peer behind what the transport had already been given, once that flows', async () => {
    const clock = new ManualClock();
    const { session, peer } = facingPeer('server', { clock });
    const ours = peer.end.other;
    session.on('error', () => {});
    peer.send(syn(1));
    const stream = await session.accept();
    stream.on('error', () => {}).write(Buffer.alloc(WINDOW));
    ours.stall();
    await settle();
    peer.send(ping(5), syn(1));
    await closed(session);
    clock.advance(4999);
    ours.flow();
    const heard = await peer.heard();
    expect(heard.slice(-2)).toEqual(['PING ACK 5', 'GOAWAY 1']);
    expect(peer.payload(1).length).toBeLessThan(WINDOW);
    expect(peer.hasEnded).toBe(true);
  });

  test('is waited for no longer than five seconds', async () => {
    const clock = new ManualClock();
    const { session, peer } = facingPeer('server', { clock });
    const ours = peer.end.other;
    session.on('error', () => {});
    ours.stall();
    peer.send(syn(2));
    await closed(session);
    clock.advance(4999);
    expect(ours.destroyed).toBe(false);
    clock.advance(1);
    expect(ours.destroyed).toBe(true);
    expect(ours.errored).toMatchObject({ code: 'ERR_YAMUX_PROTOCOL' });
    await settle();
    expect(clock.pending).toBe(0);
  });
});
