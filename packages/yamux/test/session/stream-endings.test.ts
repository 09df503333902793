// How a stream ends, in each of the ways in which an application or a peer may end it.

import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { expect, test } from 'vitest';
import type { StreamResetError, YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { ack, data, FIN, fin, rst, SYN, syn, windowUpdate } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { facingPeer, sessionPair } from '../support/pairs.ts';
import type { WirePeer } from '../support/wire-peer.ts';

async function openOutbound(): Promise<{ stream: YamuxStream; peer: WirePeer }> {
  const { session, peer } = facingPeer('client');
  const stream = await session.open();
  peer.send(ack(1));
  expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0']);
  return { stream, peer };
}

test('end() sends FIN once, after all data, and leaves the other direction open', async () => {
  const { stream, peer } = await openOutbound();
  stream.end('bye');
  expect(await peer.heard()).toEqual(['DATA 1 "bye"', 'CREDIT FIN 1 +0']);
  peer.send(data(1, 'still here'));
  await settle();
  expect(stream.read().toString()).toBe('still here');
});

test('when both sides have ended the stream closes and nothing more is sent', async () => {
  const { stream, peer } = await openOutbound();
  stream.resume().end();
  peer.send(data(1, 'x', FIN));
  await finished(stream);
  stream.destroy();
  expect(await peer.heard()).toEqual(['CREDIT FIN 1 +0']);
});

test('destroy() before end() sends RST, without an error here', async () => {
  const { stream, peer } = await openOutbound();
  const closed = once(stream, 'close');
  stream.destroy();
  await closed;
  expect(stream.errored).toBe(null);
  expect(await peer.heard()).toEqual(['CREDIT RST 1 code 0']);
});

test('destroy(error) sends what was written, then RST, and errors here', async () => {
  const { stream, peer } = await openOutbound();
  const mine = new Error('mine');
  stream.write('last words');
  stream.end();
  const failed = once(stream, 'error');
  stream.destroy(mine);
  expect(await failed).toEqual([mine]);
  expect(await peer.heard()).toEqual(['DATA 1 "last words"', 'CREDIT RST 1 code 0']);
});

test('destroy() sends every write before it, as far as the credit goes, then RST', async () => {
  const { stream, peer } = await openOutbound();
  const results: unknown[] = [];
  for (const text of ['one ', 'two ', 'three']) stream.write(text, (error) => results.push(error ?? 'sent'));
  stream.destroy();
  expect(await peer.heard()).toEqual(['DATA 1 "one two three"', 'CREDIT RST 1 code 0']);
  expect(results).toEqual(['sent', 'sent', 'sent']);
});

test('what the credit does not cover is not sent, and its callback gets an error', async () => {
  const { stream, peer } = await openOutbound();
  const result = new Promise<Error | null | undefined>((resolve) => stream.write(Buffer.alloc(262_145), resolve));
  stream.reset(5);
  expect((await peer.heard()).at(-1)).toBe('CREDIT RST 1 code 5');
  expect(peer.payload(1)).toHaveLength(262_144);
  expect(await result).toMatchObject({ code: 'ERR_YAMUX_STREAM_DESTROYED' });
});

test('reset(code) sends the code, and closes without an error here', async () => {
  const { stream, peer } = await openOutbound();
  const closed = once(stream, 'close');
  stream.reset(7);
  await closed;
  expect(await peer.heard()).toEqual(['CREDIT RST 1 code 7']);
});

test.each([-1, 1.5, 2 ** 32, Number.NaN])('reset(%s) is refused', async (code) => {
  const { stream } = await openOutbound();
  expect(() => stream.reset(code)).toThrow(RangeError);
});

test('the callback of a write that was never sent gets an error', async () => {
  const { stream } = await openOutbound();
  stream.write(Buffer.alloc(262_144));
  const result = new Promise<Error | null | undefined>((resolve) => stream.write('past the window', resolve));
  await settle();
  stream.destroy();
  expect(await result).toMatchObject({ code: 'ERR_YAMUX_STREAM_DESTROYED', scope: 'stream', origin: 'local' });
});

test('destroy() after end() lets what was written and the FIN go out, and sends no RST', async () => {
  const { stream, peer } = await openOutbound();
  const payload = Buffer.alloc(400_000, 'a');
  const closed = once(stream, 'close');
  stream.end(payload);
  stream.destroy();
  expect(stream.destroyed).toBe(true);
  await peer.heard();
  expect(peer.payload(1)).toHaveLength(262_144);
  peer.send(windowUpdate(1, 262_144));
  await closed;
  expect((await peer.heard()).at(-1)).toBe('CREDIT FIN 1 +0');
  expect(peer.payload(1).equals(payload)).toBe(true);
});

test('destroy() after end(): unread data is credited, and only more of it is answered, by one RST', async () => {
  const { stream, peer } = await openOutbound();
  peer.send(data(1, 'unread'));
  await settle();
  stream.end();
  await settle();
  stream.destroy();
  expect(await peer.heard()).toEqual(['CREDIT FIN 1 +0', 'CREDIT 1 +6']);
  peer.send(data(1, 'more'), data(1, 'and more'));
  expect(await peer.heard()).toEqual(['CREDIT RST 1 code 0']);
});

test('destroy() after end(): the FIN of the peer ends it without a word', async () => {
  const { stream, peer } = await openOutbound();
  stream.end('x');
  stream.destroy();
  expect(await peer.heard()).toEqual(['DATA 1 "x"', 'CREDIT FIN 1 +0']);
  peer.send(fin(1));
  expect(await peer.heard()).toEqual([]);
});

test('nothing is read, and no error is heard, after destroy()', async () => {
  const { stream, peer } = await openOutbound();
  const seen: unknown[] = [];
  stream.on('data', (chunk) => seen.push(chunk));
  stream.on('error', (error) => seen.push(error));
  stream.end(Buffer.alloc(300_000));
  stream.destroy();
  peer.send(data(1, 'late'), rst(1));
  await once(stream, 'close');
  expect(seen).toEqual([]);
});

test('a reset by the peer errors, is never a clean end, and leaves of what is unread only what Node holds already', async () => {
  const { stream, peer } = await openOutbound();
  const seen: string[] = [];
  stream.on('end', () => seen.push('end'));
  peer.send(data(1, 'unread'), rst(1, 3));
  const [error] = (await once(stream, 'error')) as [StreamResetError];
  expect(error).toMatchObject({
    code: 'ERR_YAMUX_STREAM_RESET',
    errorCode: 3,
    refused: false,
    scope: 'stream',
    origin: 'remote',
  });
  expect(String(stream.read())).toBe('unread');
  expect(seen).toEqual([]);
});

test("a reset after the peer's FIN: the rest is still read, then writes fail", async () => {
  const { stream, peer } = await openOutbound();
  peer.send(data(1, 'whole', FIN), rst(1));
  await settle();
  const written = new Promise<Error | null | undefined>((resolve) => stream.write('too late', resolve));
  stream.on('error', () => {});
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  expect(Buffer.concat(chunks).toString()).toBe('whole');
  expect(await written).toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET' });
});

test('a stream that died in the backlog is dropped without an event', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1), data(1, 'x'), rst(1), syn(3));
  await settle();
  expect((await session.accept()).id).toBe(3);
  expect(session.streamCount).toBe(1);
});

test('one whose input was whole when it died in the backlog is dropped too, with its bytes and its timers', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('server', { clock, maxInboundStreams: 1 });
  for (let id = 1; id < 20; id += 2) peer.send(data(id, 'x', SYN | FIN), rst(id));
  await settle();
  expect(session.stats()).toMatchObject({ streams: 0, backlog: 0 });
  expect(clock.pending).toBe(0);
  peer.send(syn(21));
  expect((await session.accept()).id).toBe(21);
});

test('a stream that is over on the wire counts against maxInboundStreams until it is read or destroyed', async () => {
  const { session, peer } = facingPeer('server', { maxInboundStreams: 1 });
  peer.send(data(1, 'unread', SYN | FIN));
  const stream = await session.accept();
  stream.end();
  await peer.heard();
  expect(session.streamCount).toBe(0);
  peer.send(syn(3));
  expect(await peer.heard()).toEqual(['CREDIT RST 3 code 0']);
  stream.resume();
  await once(stream, 'close');
  peer.send(syn(5));
  expect((await session.accept()).id).toBe(5);
});

test('destroy() after end() towards a peer that never gives credit is reset after halfCloseTimeout', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock, halfCloseTimeout: 60_000, writeTimeout: 0 });
  const stream = await session.open();
  stream.end(Buffer.alloc(300_000));
  stream.destroy();
  await peer.heard();
  expect(session.streamCount).toBe(1);
  clock.advance(60_000);
  expect(await peer.heard()).toEqual(['CREDIT RST 1 code 0']);
  expect(session.streamCount).toBe(0);
  expect(clock.pending).toBe(0);
});

test('for await over a stream throws when it is reset', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(data(1, 'part', SYN));
  const stream = await session.accept();
  const read = (async () => {
    for await (const _ of stream) peer.send(rst(1));
  })();
  await expect(read).rejects.toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET' });
});

test('leaving for await over a stream early resets it', async () => {
  const { a, b } = sessionPair();
  const outbound = await a.open();
  outbound.write('first');
  const inbound = await b.accept();
  for await (const _ of inbound) break;
  await expect(once(outbound, 'close')).rejects.toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET' });
});
