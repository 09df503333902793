// Auto-tuning: a stream that the window holds back gets a larger one, as far as its limit and the budget allow, and one that was larger than
// the path asks for shrinks.

import { expect, test } from 'vitest';
import { WindowBudget, type YamuxSession, type YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { data, pong, syn } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { closed, facingPeer } from '../support/pairs.ts';
import type { WirePeer } from '../support/wire-peer.ts';

const WINDOW = 262_144;
const ROUND_TRIP = 100;

interface Scene {
  readonly clock: ManualClock;
  readonly session: YamuxSession;
  readonly peer: WirePeer;
}

/** A session that has measured a round trip of 100 ms. */
async function measured(
  options: { maxStreamWindow?: number; windowBudget?: number | WindowBudget } = {},
): Promise<Scene> {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('server', { clock, ...options });
  const pinged = session.ping();
  await settle();
  clock.advance(ROUND_TRIP);
  peer.send(pong(1));
  await pinged;
  await peer.heard();
  return { clock, session, peer };
}

async function openStream({ session, peer }: Scene, id = 1): Promise<YamuxStream> {
  peer.send(syn(id));
  const stream = await session.accept();
  stream.on('error', () => {}).resume();
  await peer.heard();
  return stream;
}

/** The peer sends `bytes`, which are consumed at once; returns the credit that comes back. */
async function consume({ peer }: Scene, bytes: number, id = 1): Promise<number> {
  peer.send(data(id, Buffer.alloc(bytes)));
  const lines = await peer.heard();
  return lines.reduce((sum, line) => sum + Number(/\+(\d+)/.exec(line)?.[1] ?? 0), 0);
}

/** A whole window is sent and consumed within one round trip; returns the credit that comes back. */
async function consumeWindow(scene: Scene, size: number = WINDOW): Promise<number> {
  const first = await consume(scene, size / 2);
  scene.clock.advance(ROUND_TRIP);
  return first + (await consume(scene, size / 2));
}

test('a whole window consumed within a round trip doubles the window', async () => {
  const scene = await measured();
  await openStream(scene);
  expect(await consumeWindow(scene)).toBe(WINDOW / 2 + WINDOW);
  expect(scene.session.stats().receiveWindows).toBe(2 * WINDOW);
});

test('half as fast it stays as it is', async () => {
  const scene = await measured();
  await openStream(scene);
  scene.clock.advance(ROUND_TRIP);
  expect(await consumeWindow(scene)).toBe(WINDOW);
  expect(scene.session.stats().receiveWindows).toBe(WINDOW);
});

test('it doubles up to maxStreamWindow and no further', async () => {
  const scene = await measured({ maxStreamWindow: 3 * WINDOW });
  await openStream(scene);
  await consumeWindow(scene);
  expect(scene.session.stats().receiveWindows).toBe(2 * WINDOW);
  await consumeWindow(scene, 2 * WINDOW);
  expect(scene.session.stats().receiveWindows).toBe(3 * WINDOW);
  await consumeWindow(scene, 3 * WINDOW);
  expect(scene.session.stats().receiveWindows).toBe(3 * WINDOW);
});

test('it shrinks, and gives its share of the budget back, when the path turns out to be shorter', async () => {
  const windowBudget = new WindowBudget(4 * WINDOW);
  const scene = await measured({ windowBudget });
  await openStream(scene);
  await consumeWindow(scene);
  await consumeWindow(scene, 2 * WINDOW);
  expect([scene.session.stats().receiveWindows, windowBudget.used]).toEqual([4 * WINDOW, 3 * WINDOW]);
  const pinged = scene.session.ping();
  await settle();
  scene.clock.advance(ROUND_TRIP / 4);
  scene.peer.send(pong(2));
  await pinged;
  let granted = 0;
  for (let round = 0; round < 5; round += 1) granted += await consumeWindow(scene, WINDOW);
  expect([scene.session.stats().receiveWindows, windowBudget.used]).toEqual([2 * WINDOW, WINDOW]);
  expect(granted).toBe(4 * WINDOW);
});

test('half a window consumed within 20 ms of the open doubles the window at once, up to 1 MiB', async () => {
  const scene = await measured();
  await openStream(scene);
  expect(await consume(scene, WINDOW / 2)).toBe(WINDOW / 2 + WINDOW);
  scene.clock.advance(19);
  expect(await consume(scene, WINDOW)).toBe(WINDOW + 2 * WINDOW);
  expect(await consume(scene, 2 * WINDOW)).toBe(2 * WINDOW);
  expect(scene.session.stats().receiveWindows).toBe(4 * WINDOW);
});

test('after 20 ms the window grows only by a measurement', async () => {
  const scene = await measured();
  await openStream(scene);
  scene.clock.advance(20);
  expect(await consume(scene, WINDOW / 2)).toBe(WINDOW / 2);
});

test('the early growth keeps to maxStreamWindow and to the budget', async () => {
  const narrow = await measured({ maxStreamWindow: WINDOW + 1_000 });
  await openStream(narrow);
  expect(await consume(narrow, WINDOW / 2)).toBe(WINDOW / 2 + 1_000);
  const poor = await measured({ windowBudget: 2_000 });
  await openStream(poor);
  expect(await consume(poor, WINDOW / 2)).toBe(WINDOW / 2 + 2_000);
});

test('nothing grows before the first pong', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('server', { clock });
  const scene = { clock, session, peer };
  await openStream(scene);
  expect(await consumeWindow(scene)).toBe(WINDOW);
});

test('nothing grows while the reader is paused', async () => {
  const scene = await measured();
  const stream = await openStream(scene);
  stream.pause();
  scene.clock.advance(ROUND_TRIP);
  scene.peer.send(data(1, Buffer.alloc(WINDOW)));
  expect(await scene.peer.heard()).toEqual([]);
  // What he takes by hand is credited, and no more.
  let read = 0;
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) read += chunk.length;
  expect(read).toBe(WINDOW);
  expect(await scene.peer.heard()).toEqual([`CREDIT 1 +${WINDOW / 2}`, `CREDIT 1 +${WINDOW / 2}`]);
});

test('the path is measured while a stream is fast: a ping for each measure, one at a time', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('server', { clock, keepAliveInterval: 30_000 });
  await settle();
  clock.advance(ROUND_TRIP);
  peer.send(pong(1));
  await settle();
  const scene = { clock, session, peer };
  await openStream(scene);
  clock.advance(ROUND_TRIP);
  peer.send(data(1, Buffer.alloc(WINDOW / 2)));
  expect(await peer.heard()).toEqual([`CREDIT 1 +${WINDOW / 2}`]);
  peer.send(data(1, Buffer.alloc(WINDOW / 2)));
  expect(await peer.heard()).toEqual(['PING SYN 2', `CREDIT 1 +${WINDOW / 2 + WINDOW}`]);
});

test('the streams of several sessions share one budget, and a share returns when its stream is closed', async () => {
  const windowBudget = new WindowBudget(WINDOW + 1000);
  const first = await measured({ windowBudget });
  const second = await measured({ windowBudget });
  const stream = await openStream(first);
  await openStream(second);
  await consumeWindow(first);
  expect(first.session.stats().receiveWindows).toBe(2 * WINDOW);
  await consumeWindow(second);
  expect(second.session.stats().receiveWindows).toBe(WINDOW + 1000);
  await consumeWindow(second);
  expect(second.session.stats().receiveWindows).toBe(WINDOW + 1000);
  expect(windowBudget.used).toBe(WINDOW + 1000);
  stream.destroy();
  expect(windowBudget.used).toBe(1000);
  const ended = closed(second.session);
  second.session.destroy();
  await ended;
  expect(windowBudget.used).toBe(0);
});

test('the session counts the least of its recent round trips: one that waited behind data changes nothing', async () => {
  const scene = await measured();
  const slow = scene.session.ping();
  await settle();
  scene.clock.advance(7000);
  scene.peer.send(pong(2));
  expect(await slow).toBe(7000);
  expect(scene.session.rtt).toBe(ROUND_TRIP);
});
