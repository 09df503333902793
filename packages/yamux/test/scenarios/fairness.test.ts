// One stream beside another: neither a bulk transfer nor a reader that is slow or stands still is felt by anybody else. Told in frames.

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { ack, data, syn } from '../support/frames.ts';
import { facingPeer, sessionPair } from '../support/pairs.ts';

const KIB = 1024;
const FRAME = 32 * KIB;
const HANDED_OVER = 128 * KIB;
/** Bulk frames that may be ahead of an answer: what the transport holds, the one that crossed the limit, those that pass meanwhile. */
const AHEAD = HANDED_OVER / FRAME + 3;

function sixtyFourMiB(stream: YamuxStream): void {
  // It ends in the middle, with its session.
  stream.on('error', () => {});
  for (let written = 0; written < 64; written += 1) stream.write(Buffer.alloc(1024 * KIB));
}

describe('beside a stream that saturates the link', () => {
  test.each([1, 5])('a 64-byte echo is answered within a bounded number of frames (%d bulk streams)', async (bulks) => {
    const { session, peer } = facingPeer('client');
    const CREDIT = 256 * 1024 * KIB;
    for (let opened = 0; opened < bulks; opened += 1) sixtyFourMiB(await session.open());
    session.on('stream', (stream) => stream.on('error', () => {}).pipe(stream));
    await turn();
    for (let opened = 0; opened < bulks; opened += 1) peer.send(ack(2 * opened + 1, CREDIT));
    peer.send(syn(2));
    for (let asked = 0; asked < 20; asked += 1) {
      const before = peer.frames.length;
      peer.send(data(2, Buffer.alloc(64)));
      let answer = -1;
      while (answer === -1) {
        await turn();
        answer = peer.frames.findIndex(({ type, id }, at) => at >= before && type === 0 && id === 2);
      }
      const ahead = peer.frames.slice(before, answer).filter(({ type }) => type === 0).length;
      // Behind what the transport held, each bulk stream has at most one turn.
      expect(ahead).toBeLessThanOrEqual(AHEAD + bulks);
    }
    expect(session.stats().queuedBytes).toBeGreaterThan(0);
    session.destroy();
  });

  test('pings are answered, and credit is given, within what the transport already holds', async () => {
    const { session, peer } = facingPeer('client');
    sixtyFourMiB(await session.open());
    peer.send(ack(1, 256 * 1024 * KIB));
    await turn();
    for (let asked = 0; asked < 20; asked += 1) {
      const before = peer.frames.length;
      const pinged = session.ping();
      while (!peer.frames.slice(before).some((frame) => frame.type === 2)) await turn();
      expect(peer.frames.slice(before).findIndex((frame) => frame.type === 2)).toBeLessThanOrEqual(AHEAD);
      peer.send(Buffer.from('000200020000000000000000', 'hex').fill(asked + 1, 11));
      await pinged;
    }
    session.destroy();
  });

  test('ten bulk streams get the same share, to a frame', async () => {
    const { session, peer } = facingPeer('client');
    for (let opened = 0; opened < 10; opened += 1) {
      (await session.open()).write(Buffer.alloc(8 * FRAME));
    }
    await settle();
    const counts = new Map<number, number>();
    for (const { type, id } of peer.frames) {
      if (type !== 0) continue;
      counts.set(id, (counts.get(id) ?? 0) + 1);
      if (counts.size === 10)
        expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1);
    }
    expect([...counts.values()]).toEqual(Array.from({ length: 10 }, () => 8));
  });
});

describe('a reader that is slow', () => {
  test('of one stream holds back nobody but its writer', async () => {
    const { a, b } = sessionPair();
    const [slow, fast] = [await a.open(), await a.open()];
    const [slowThere, fastThere] = [await b.accept(), await b.accept()];
    sixtyFourMiB(slow);
    fast.end(Buffer.alloc(16 * 1024 * KIB));
    fastThere.end();
    let slowly = 0;
    let received = 0;
    for await (const chunk of fastThere) {
      received += (chunk as Buffer).length;
      slowly += (slowThere.read(1) as Buffer | null)?.length ?? 0;
    }
    expect(received).toBe(16 * 1024 * KIB);
    expect(slowly).toBeGreaterThan(0);
    expect(slowThere.bytesRead - slowly).toBeLessThanOrEqual(256 * KIB);
    slowThere.on('error', () => {});
    b.on('error', () => {});
    a.destroy();
  });

  test('byte by byte reads everything, and credit comes back by half windows alone', async () => {
    const { a, b } = sessionPair();
    const stream = await a.open();
    const there = await b.accept();
    const total = 300 * KIB;
    stream.end(Buffer.alloc(total, 'x'));
    await settle();
    const before = b.stats().framesSent;
    let received = 0;
    while (received < total) {
      const byte = there.read(1) as Buffer | null;
      if (byte === null) await settle();
      else received += byte.length;
    }
    expect(there.read()).toBeNull();
    // At 128 and at 256 KiB.
    expect(b.stats().framesSent - before).toBe(2);
  });
});
