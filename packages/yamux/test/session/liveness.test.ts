// Liveness: pings of ours, answers of the peer, and half-closed streams that nobody ends.

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { settle } from '../support/duplex-pair.ts';
import { ack, data, pong, SYN, syn } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { closed, facingPeer, sessionPair } from '../support/pairs.ts';

const SECOND = 1000;

function keptAlive(role: 'client' | 'server' = 'client') {
  const clock = new ManualClock();
  const { session, peer } = facingPeer(role, { clock, keepAliveInterval: 30 * SECOND });
  const errors: Error[] = [];
  session.on('error', (error) => errors.push(error));
  return { clock, session, peer, errors };
}

test('pings go out at the start, after a second, then in every interval', async () => {
  const { clock, session, peer } = keptAlive();
  expect(await peer.heard()).toEqual(['PING SYN 1']);
  clock.advance(5);
  peer.send(pong(1));
  await settle();
  expect(session.rtt).toBe(5);
  clock.advance(995);
  expect(await peer.heard()).toEqual(['PING SYN 2']);
  peer.send(pong(2));
  await settle();
  clock.advance(29_999);
  expect(await peer.heard()).toEqual([]);
  clock.advance(1);
  expect(await peer.heard()).toEqual(['PING SYN 3']);
});

test('a ping that nothing answers ends the session', async () => {
  const { clock, session, errors } = keptAlive();
  const ended = closed(session);
  const pinged = session.ping();
  await settle();
  clock.advance(9_999);
  expect(session.state).toBe('open');
  clock.advance(1);
  await expect(pinged).rejects.toMatchObject({ code: 'ERR_YAMUX_PING_TIMEOUT' });
  await ended;
  expect(errors).toMatchObject([{ code: 'ERR_YAMUX_KEEP_ALIVE_TIMEOUT', scope: 'session', origin: 'remote' }]);
});

test('any byte that arrives meanwhile satisfies it', async () => {
  const { clock, session, peer } = keptAlive('server');
  session.on('stream', () => {});
  clock.advance(5000);
  peer.send(syn(1));
  await settle();
  clock.advance(5000);
  expect(session.state).toBe('open');
});

test('a process that was suspended gives the pong one more chance', async () => {
  const { clock, session, peer } = keptAlive();
  await settle();
  clock.suspend(3_600_000);
  expect(session.state).toBe('open');
  peer.send(pong(1));
  await settle();
  clock.advance(10_000);
  expect(session.state).toBe('open');
});

test('without an answer after that chance either, the session ends', async () => {
  const { clock, session } = keptAlive();
  await settle();
  clock.suspend(3_600_000);
  clock.advance(10_000);
  expect(session.state).toBe('closed');
});

test('callers share the ping under way', async () => {
  const { session, peer } = facingPeer('client');
  const pings = [session.ping(), session.ping(), session.ping()];
  expect(await peer.heard()).toEqual(['PING SYN 1']);
  peer.send(pong(1));
  expect(new Set(await Promise.all(pings)).size).toBe(1);
});

test('keepAliveInterval 0 sends no ping, and a ping that fails does not end the session', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock });
  clock.advance(600 * SECOND);
  expect(await peer.heard()).toEqual([]);
  const pinged = session.ping();
  await settle();
  clock.advance(10 * SECOND);
  await expect(pinged).rejects.toMatchObject({ code: 'ERR_YAMUX_PING_TIMEOUT' });
  expect(session.state).toBe('open');
});

test('a late pong, an unknown one and one that comes twice are ignored', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock });
  const first = session.ping();
  await settle();
  clock.advance(10 * SECOND);
  await expect(first).rejects.toThrow();
  const second = session.ping();
  peer.send(pong(1), pong(77));
  await settle();
  clock.advance(3);
  peer.send(pong(2), pong(2));
  expect(await second).toBe(3);
});

test('a ping is taken back by its signal, and asked again by the next one', async () => {
  const { session, peer } = facingPeer('client');
  const controller = new AbortController();
  const pinged = session.ping({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(pinged).rejects.toThrow('enough');
  const again = session.ping();
  peer.send(pong(1));
  expect(await again).toBeGreaterThanOrEqual(0);
});

test('a half-closed stream on which no byte moves for halfCloseTimeout is reset', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock, halfCloseTimeout: 60 * SECOND });
  const stream = await session.open();
  stream.end();
  peer.send(ack(1));
  await peer.heard();
  clock.advance(59 * SECOND);
  peer.send(data(1, 'a byte'));
  await settle();
  clock.advance(59 * SECOND);
  expect(stream.destroyed).toBe(false);
  const failed = once(stream, 'error');
  clock.advance(SECOND);
  const [error] = await failed;
  expect(error).toMatchObject({ code: 'ERR_YAMUX_HALF_CLOSE_TIMEOUT', scope: 'stream', origin: 'local' });
  expect(await peer.heard()).toEqual(['CREDIT RST 1 code 0']);
});

test('so is one that the application has destroyed and the peer never ends', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock, halfCloseTimeout: 60 * SECOND });
  const stream = await session.open();
  stream.end();
  stream.destroy();
  expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0', 'CREDIT FIN 1 +0']);
  expect(session.streamCount).toBe(1);
  clock.advance(60 * SECOND);
  expect(await peer.heard()).toEqual(['CREDIT RST 1 code 0']);
  expect(session.streamCount).toBe(0);
});

test("setTimeout() on a stream is a real idle timeout: 'timeout' comes when no byte moved for so long", async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('server', { clock });
  peer.send(data(1, 'x', SYN));
  const stream = await session.accept();
  let timeouts = 0;
  stream.resume().setTimeout(1000, () => {
    timeouts += 1;
  });
  clock.advance(900);
  peer.send(data(1, 'x'));
  await settle();
  clock.advance(900);
  expect(timeouts).toBe(0);
  stream.write('x');
  await settle();
  clock.advance(999);
  expect(timeouts).toBe(0);
  clock.advance(1);
  expect(timeouts).toBe(1);
  stream.setTimeout(0);
  clock.advance(10_000);
  expect(timeouts).toBe(1);
  expect(stream.destroyed).toBe(false);
});

test('two sessions of ours keep each other alive', async () => {
  const clock = new ManualClock();
  const { a, b } = sessionPair({ clock, keepAliveInterval: 30 * SECOND });
  for (let round = 0; round < 100; round += 1) {
    await settle();
    clock.advance(9 * SECOND);
  }
  expect([a.state, b.state]).toEqual(['open', 'open']);
});
