// What an application throws in a callback or a listener is its own affair: it is uncaught, and keeps nothing from what is under way.

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { settle } from '../support/duplex-pair.ts';
import { ack } from '../support/frames.ts';
import { facingPeer } from '../support/pairs.ts';
import { uncaughtIn } from '../support/uncaught.ts';

const thrown = new Error("the application's own");

function throws(): never {
  throw thrown;
}

test.each([
  ['destroy()', undefined],
  ['destroy(error)', new Error('why')],
])('what a write callback throws does not come out of %s, which destroys', async (_how, error) => {
  const { session, peer } = facingPeer('client');
  const stream = await session.open();
  stream.on('error', () => {});
  const uncaught = await uncaughtIn(() => {
    stream.write('one ', throws);
    stream.write('two');
    stream.destroy(error);
    expect(stream.destroyed).toBe(true);
  });
  expect(uncaught).toEqual([thrown]);
  expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0', 'DATA 1 "one two"', 'CREDIT RST 1 code 0']);
  expect(session.streamCount).toBe(0);
});

test("what a 'connect' listener throws keeps nothing back that was written before", async () => {
  const { session, peer } = facingPeer('client');
  const stream = session.connect();
  stream.on('connect', throws);
  stream.end('early');
  const uncaught = await uncaughtIn(() => once(stream, 'finish'));
  expect(uncaught).toEqual([thrown]);
  expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0', 'DATA 1 "early"', 'CREDIT FIN 1 +0']);
});

test("what an 'acknowledged' listener throws loses nothing of the frame that acknowledged", async () => {
  const { session, peer } = facingPeer('client');
  const stream = await session.open();
  stream.on('acknowledged', throws);
  stream.write(Buffer.alloc(262_144 + 5));
  await settle();
  const uncaught = await uncaughtIn(() => peer.send(ack(1, 5)));
  expect(uncaught).toEqual([thrown]);
  expect(peer.payload(1)).toHaveLength(262_144 + 5);
});
