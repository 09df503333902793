// How long the transport is waited for when the session has nothing more to say.

import { expect, test } from 'vitest';
import { client } from '../../src/index.ts';
import { duplexPair, settle } from '../support/duplex-pair.ts';
import { ack, syn } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { facingPeer } from '../support/pairs.ts';

test('a peer that read slowly once keeps close() waiting for a minute at most', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock, writeTimeout: 0 });
  const ours = peer.end.other;
  ours.stall();
  session.ping().catch(() => {});
  await settle();
  // Twelve bytes in a quarter of an hour.
  clock.advance(900_000);
  ours.flow();
  await settle();
  const closing = session.close();
  await settle();
  clock.advance(59_999);
  expect(ours.destroyed).toBe(false);
  clock.advance(1);
  expect(ours.destroyed).toBe(true);
  await closing;
});

test("somebody else's bytes before ours are waited for: five seconds for each 128 KiB", async () => {
  const clock = new ManualClock();
  const [ours] = duplexPair();
  ours.stall();
  ours.write(Buffer.alloc(400_000));
  const session = client(ours, { clock, keepAliveInterval: 0, writeTimeout: 0 });
  const closing = session.close();
  await settle();
  clock.advance(19_999);
  expect(ours.destroyed).toBe(false);
  clock.advance(1);
  expect(ours.destroyed).toBe(true);
  await closing;
});

test('a peer that broke the protocol is told so within five seconds in all, however it takes a byte now and then', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('server', { clock });
  const ours = peer.end.other;
  session.on('error', () => {});
  ours.stall();
  const handle = { writeQueueSize: 100 };
  Object.assign(ours, { _handle: handle });
  peer.send(syn(2));
  await settle();
  expect(session.state).toBe('closed');
  for (let seconds = 0; seconds < 4; seconds += 1) {
    clock.advance(1000);
    handle.writeQueueSize -= 1;
  }
  expect(ours.destroyed).toBe(false);
  clock.advance(1000);
  expect(ours.destroyed).toBe(true);
  await settle();
  expect(clock.pending).toBe(0);
});

test('where the transport ends behind the last stream, a writer hears of its memory when the transport has taken it', async () => {
  const { session, peer } = facingPeer('client');
  const ours = peer.end.other;
  const stream = await session.open();
  peer.send(ack(1));
  await settle();
  ours.stall();
  const chunk = Buffer.alloc(8192, 1);
  const outcomes: unknown[] = [];
  stream.write(chunk, (error) => {
    outcomes.push(error);
    chunk.fill(0xff);
  });
  stream.end();
  stream.destroy();
  await settle();
  peer.end.end();
  await settle();
  expect(outcomes).toEqual([]);
  ours.flow();
  await settle();
  expect(outcomes).toHaveLength(1);
  expect(peer.payload(1).equals(Buffer.alloc(8192, 1))).toBe(true);
  expect(session.state).toBe('closed');
});
