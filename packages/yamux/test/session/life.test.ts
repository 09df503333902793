// The life of a session: how it ends, who hears of it, and in which order.

import { EventEmitter, once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { client } from '../../src/index.ts';
import { duplexPair, settle } from '../support/duplex-pair.ts';
import { ack, data, fin, goAway, pong, syn } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { closed, facingPeer, sessionPair } from '../support/pairs.ts';

function listen(emitter: EventEmitter): string[] {
  const events: string[] = [];
  emitter.on('error', (error) => events.push(`error ${(error as { code?: string }).code ?? error.message}`));
  emitter.on('close', () => events.push('close'));
  return events;
}

test('a socket is told not to hold small frames back', () => {
  const [transport] = duplexPair();
  const setNoDelay = vi.fn();
  const session = client(Object.assign(transport, { setNoDelay }));
  expect(setNoDelay.mock.calls).toEqual([[true]]);
  session.destroy();
});

test('an end of the transport with a live stream is an error for both, never a clean end', async () => {
  const { session, peer } = facingPeer('server');
  const events = listen(session);
  peer.send(syn(1), data(1, 'part'));
  const stream = await session.accept();
  stream.on('end', () => events.push('stream end'));
  stream.on('error', (error) => events.push(`stream ${(error as { code?: string }).code}`));
  stream.resume();
  peer.end.end();
  await closed(session);
  expect(events).toEqual(['stream ERR_YAMUX_TRANSPORT_ENDED', 'error ERR_YAMUX_TRANSPORT_ENDED', 'close']);
  expect(session.errored).toBe(stream.errored);
});

test('an end of the transport inside a frame is an error, also without streams', async () => {
  const { session, peer } = facingPeer('server');
  const events = listen(session);
  peer.end.write(goAway(0).subarray(0, 5));
  peer.end.end();
  await closed(session);
  expect(events).toEqual(['error ERR_YAMUX_TRANSPORT_ENDED', 'close']);
});

test('an end of the transport with no live stream is a clean end', async () => {
  const { session, peer } = facingPeer('server');
  const events = listen(session);
  peer.send(syn(1), fin(1));
  const stream = await session.accept();
  stream.resume().end();
  await settle();
  peer.end.end();
  await closed(session);
  expect(events).toEqual(['close']);
  expect(session.state).toBe('closed');
});

test('an error of the transport reaches every stream and the session as one error', async () => {
  const { session, peer } = facingPeer('server');
  const [ours] = [peer.end.other];
  peer.send(syn(1), syn(3));
  const streams = [await session.accept(), await session.accept()];
  const errors: unknown[] = [];
  for (const stream of streams) stream.on('error', (error) => errors.push(error));
  session.on('error', (error) => errors.push(error));
  await settle();
  const cause = new Error('ECONNRESET or so');
  ours.destroy(cause);
  await closed(session);
  expect(errors).toHaveLength(3);
  expect(new Set(errors).size).toBe(1);
  expect(errors[0]).toMatchObject({ code: 'ERR_YAMUX_TRANSPORT_FAILED', scope: 'session', origin: 'remote', cause });
});

test('a transport that the user destroys without an error errors live streams', async () => {
  const { session, peer } = facingPeer('server');
  const events = listen(session);
  peer.send(syn(1));
  const stream = await session.accept();
  stream.on('error', () => {});
  await settle();
  peer.end.other.destroy();
  await closed(session);
  expect(events).toEqual(['error ERR_YAMUX_TRANSPORT_ENDED', 'close']);
});

test('a transport that is already destroyed ends the session at once', async () => {
  const [ours] = duplexPair();
  ours.destroy();
  const session = client(ours, { keepAliveInterval: 0 });
  const events = listen(session);
  await closed(session);
  expect(events).toEqual(['close']);
  await expect(session.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_SESSION_CLOSED' });
});

test('destroy() without an error emits only close, and every stream errors', async () => {
  const { session } = facingPeer('client');
  const events = listen(session);
  const streams = [await session.open(), await session.open()];
  const errors = streams.map((stream) => once(stream, 'error'));
  await settle();
  session.destroy();
  expect(session.state).toBe('closed');
  for (const [error] of await Promise.all(errors)) expect(error).toMatchObject({ code: 'ERR_YAMUX_SESSION_CLOSED' });
  await settle();
  expect(events).toEqual(['close']);
});

test('destroy(error) gives that very error to every stream and to the session', async () => {
  const { session } = facingPeer('client');
  const mine = new Error('mine');
  const stream = await session.open();
  await settle();
  const errors = Promise.all([once(stream, 'error'), once(session, 'error')]);
  session.destroy(mine);
  expect(await errors).toEqual([[mine], [mine]]);
  await expect(session.accept()).rejects.toMatchObject({ code: 'ERR_YAMUX_SESSION_CLOSED', cause: mine });
});

test('a protocol error is told to the peer before the transport ends', async () => {
  const { session, peer } = facingPeer('server');
  session.on('error', () => {});
  peer.send(syn(2));
  expect(await peer.heard()).toEqual(['GOAWAY 1']);
  expect(peer.hasEnded).toBe(true);
});

test('close() without streams says GoAway last, ends the transport, and resolves', async () => {
  const { session, peer } = facingPeer('client');
  const events = listen(session);
  peer.end.on('end', () => peer.end.end());
  await session.close();
  expect(await peer.heard()).toEqual(['GOAWAY 0']);
  expect(peer.hasEnded).toBe(true);
  expect(events).toEqual(['close']);
});

test('close() refuses new streams on both sides and lets live ones end', async () => {
  const { session, peer } = facingPeer('client');
  peer.end.on('end', () => peer.end.end());
  const stream = await session.open();
  peer.send(ack(1));
  await peer.heard();
  const closing = session.close();
  expect(session.close()).toBe(closing);
  expect(session.state).toBe('draining');
  await expect(session.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_SESSION_CLOSED' });
  peer.send(syn(2), data(1, 'last words'), fin(1));
  expect(await peer.heard()).toEqual(['CREDIT RST 2 code 0']);
  expect(stream.read().toString()).toBe('last words');
  stream.end('mine');
  expect(await peer.heard()).toEqual(['DATA 1 "mine"', 'CREDIT FIN 1 +0', 'GOAWAY 0']);
  await closing;
});

test('close() refuses what nobody has accepted, so that the peer may try elsewhere', async () => {
  const { session, peer } = facingPeer('server');
  peer.end.on('end', () => peer.end.end());
  peer.send(syn(1));
  await settle();
  await session.close();
  expect(await peer.heard()).toEqual(['CREDIT RST 1 code 0', 'GOAWAY 0']);
});

test('close() with a timeout resets what is left, and still resolves', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock });
  peer.end.on('end', () => peer.end.end());
  const stream = await session.open();
  const events = listen(stream);
  await settle();
  const closing = session.close({ timeout: 1000 });
  clock.advance(999);
  expect(stream.destroyed).toBe(false);
  clock.advance(1);
  await closing;
  expect(events).toEqual(['error ERR_YAMUX_SESSION_CLOSED', 'close']);
  expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0', 'CREDIT RST 1 code 0', 'GOAWAY 0']);
  expect(clock.pending).toBe(0);
});

test('close() gives the transport five seconds', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock });
  const ours = peer.end.other;
  const closing = session.close();
  await settle();
  clock.advance(4999);
  expect(ours.destroyed).toBe(false);
  clock.advance(1);
  await closing;
  expect(ours.destroyed).toBe(true);
});

test('close() rejects if the session dies meanwhile', async () => {
  const { session, peer } = facingPeer('client');
  const events = listen(session);
  const stream = await session.open();
  stream.on('error', () => {});
  const closing = session.close();
  peer.send(goAway(2));
  await expect(closing).rejects.toMatchObject({ code: 'ERR_YAMUX_GO_AWAY', goAwayCode: 2 });
  expect(events).toEqual(['error ERR_YAMUX_GO_AWAY', 'close']);
});

test("close()'s signal destroys the session, and rejects with its reason", async () => {
  const { session } = facingPeer('client');
  const events = listen(session);
  const stream = await session.open();
  const failed = once(stream, 'error');
  const controller = new AbortController();
  const closing = session.close({ signal: controller.signal });
  await settle();
  controller.abort(new Error('no time'));
  await expect(closing).rejects.toThrow('no time');
  await failed;
  await settle();
  expect(events).toEqual(['close']);
});

test('closed is one promise, however often it is asked for', async () => {
  const { session } = facingPeer('client');
  const { closed: before } = session;
  expect(session.closed).toBe(before);
  session.destroy();
  await before;
  expect(session.closed).toBe(before);
});

test('await using closes', async () => {
  const { a, b } = sessionPair();
  {
    await using session = a;
    (await session.open()).resume().end();
    (await b.accept()).resume().end();
  }
  expect(a.state).toBe('closed');
  await vi.waitFor(() => expect(b.state).toBe('closed'));
});

test('after GoAway(0) of the peer open() rejects and live streams go on', async () => {
  const { session, peer } = facingPeer('client');
  const stream = await session.open();
  peer.send(ack(1), goAway(0));
  await once(session, 'goAway');
  expect(session.state).toBe('draining');
  await expect(session.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_GO_AWAY', goAwayCode: 0, origin: 'remote' });
  stream.write('on');
  expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0', 'DATA 1 "on"']);
});

test('an open() that waits when GoAway(0) comes is rejected', async () => {
  const { session, peer } = facingPeer('client', { maxUnacknowledged: 1 });
  await session.open();
  const waiting = session.open();
  peer.send(goAway(0));
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_YAMUX_GO_AWAY' });
});

test('goAway(): SYNs that cross it are served, SYNs after the pong are refused', async () => {
  const { session, peer } = facingPeer('server');
  session.on('stream', () => {});
  const known = session.goAway();
  expect(await peer.heard()).toEqual(['GOAWAY 0', 'PING SYN 1']);
  peer.send(syn(1), pong(1), syn(3));
  expect(await peer.heard()).toEqual(['CREDIT ACK 1 +0', 'CREDIT RST 3 code 0']);
  await known;
  expect((await session.open()).id).toBe(2);
});

test('goAway() while a ping is under way asks again: that pong may have been sent before', async () => {
  const { session, peer } = facingPeer('server');
  const pinged = session.ping();
  void session.goAway();
  expect(await peer.heard()).toEqual(['PING SYN 1', 'GOAWAY 0']);
  peer.send(pong(1), syn(1));
  await pinged;
  expect(await peer.heard()).toEqual(['PING SYN 2']);
  expect((await session.accept()).id).toBe(1);
});

test('an end leaves no timer and no listener behind', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock, keepAliveInterval: 30_000 });
  const ours = peer.end.other;
  const stream = await session.open();
  stream.on('error', () => {}).setTimeout(1000);
  stream.end();
  await settle();
  session.destroy();
  await settle();
  expect(clock.pending).toBe(0);
  expect(ours.listenerCount('data') + ours.listenerCount('end') + ours.listenerCount('close')).toBe(0);
});

test.each([
  ['null', null],
  ['string: connect first, by net.connect(), or by dial() of @zishuo/yamux-websocket', 'tcp'],
  ['an object of Object', {}],
  ['an object of no class', Object.create(null)],
  ['an object of EventEmitter', new EventEmitter()],
])('a transport that is no Duplex is refused: %s', (got, transport) => {
  expect(() => client(transport as never)).toThrow(new TypeError(`Expected transport to be a Duplex, got ${got}`));
});

test('a transport that carries a session already is refused, and the streams of that are offered', () => {
  const [transport] = duplexPair();
  client(transport);
  const message =
    'Expected a transport of its own for each session: this one carries a session already, open streams on that';
  expect(() => client(transport)).toThrow(new TypeError(message));
});

test('two clients on one transport are told that one has to be the server', async () => {
  const [left, right] = duplexPair();
  const [one, other] = [client(left), client(right)];
  const errors = Promise.all([once(one, 'error'), once(other, 'error')]);
  (await one.open()).on('error', () => {});
  const [[gone], [violated]] = await errors;
  expect(gone.message).toBe('The peer ended the session (GoAway 1): it says that this end broke the protocol');
  expect(violated.message).toContain('one end has to be the client, the other the server');
});
