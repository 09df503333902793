import { expect, test } from 'vitest';
import { ResetBucket } from '../../src/session/reset-bucket.ts';
import { frame, rst, SYN, syn } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { facingPeer } from '../support/pairs.ts';

test('lets a burst pass, then 200 a second', () => {
  const bucket = new ResetBucket(3, 0);
  for (let resets = 0; resets < 3; resets += 1) {
    expect(bucket.isEmpty(0)).toBe(false);
    bucket.take(0);
  }
  expect(bucket.isEmpty(4)).toBe(true);
  expect(bucket.isEmpty(5)).toBe(false);
  bucket.take(5);
  expect(bucket.isEmpty(9)).toBe(true);
  expect(bucket.isEmpty(10)).toBe(false);
});

test('holds no more than the burst, however long it was left alone', () => {
  const bucket = new ResetBucket(2, 0);
  bucket.take(0);
  bucket.take(1_000_000);
  bucket.take(1_000_000);
  expect(bucket.isEmpty(1_000_000)).toBe(true);
});

test('a peer that opens and resets streams is refused past the burst, the session lives, and later it may go on', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('server', { clock, resetBurst: 10 });
  let offered = 0;
  session.on('stream', (stream) => {
    offered += 1;
    stream.on('error', () => {});
  });
  for (let id = 1; id < 200; id += 2) peer.send(syn(id), rst(id));
  const refused = (await peer.heard()).filter((line) => line.startsWith('CREDIT RST'));
  expect(offered).toBe(10);
  expect(refused).toHaveLength(90);
  expect(session.state).toBe('open');
  clock.advance(5);
  peer.send(syn(1001));
  expect(await peer.heard()).toEqual(['CREDIT ACK 1001 +0']);
});

test('a reset of a stream on which we have written costs nothing', async () => {
  const { session, peer } = facingPeer('server', { resetBurst: 1 });
  session.on('stream', (stream) => stream.on('error', () => {}).write('answer'));
  for (let id = 1; id < 20; id += 2) {
    peer.send(syn(id));
    await peer.heard();
    peer.send(rst(id));
  }
  peer.send(frame(1, SYN, 101, 0));
  expect(await peer.heard()).toContain('CREDIT ACK 101 +0');
});
