// Bytes through both implementations and back, whole and in order, whoever is the client, whoever opens the stream, whoever ends first.
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { YamuxSession, YamuxStream } from '../../src/index.ts';
import { connectOverTcp } from './connection.ts';
import { GoPeer, type GoSession, type GoStream, type Role, type Transfer } from './go-peer.ts';
import { payload, sha256 } from './payload.ts';
import { echo, receive, send } from './transfer.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const sizes = [0, 1, 64 * KiB, MiB, 16 * MiB];

const executable = inject('goPeer');

describe.skipIf(executable === null).each<Role>(['client', 'server'])('our %s and hashicorp/yamux', (role) => {
  let peer: GoPeer;
  let ours: YamuxSession;
  let go: GoSession;

  beforeEach(async () => {
    peer = new GoPeer(executable as string);
    ({ ours, go } = await connectOverTcp(role, peer));
  });

  // hashicorp logs whatever it holds to be wrong: nothing of what we did may be that.
  afterEach(async () => {
    try {
      await ours.close({ timeout: 5000 });
      expect(await go.ended()).toBe('EOF');
      expect(peer.complaints).toEqual([]);
    } finally {
      await peer.stop();
    }
  });

  async function openByUs(): Promise<[YamuxStream, GoStream]> {
    return Promise.all([ours.open(), go.accept()]);
  }

  async function openByGo(): Promise<[YamuxStream, GoStream]> {
    return Promise.all([ours.accept(), go.open()]);
  }

  /** What a side must tell of the payload of a seed that went through it. */
  function whole(seed: number, size: number, outcome: 'sent' | 'eof'): Transfer {
    return { bytes: size, sha256: sha256(payload(seed, size)), outcome };
  }

  async function sendAndEnd(stream: YamuxStream, seed: number, size: number): Promise<Transfer> {
    const sent = await send(stream, seed, size);
    stream.end();
    return sent;
  }

  async function sendAndEndInGo(stream: GoStream, seed: number, size: number): Promise<Transfer> {
    const sent = await stream.send(seed, size);
    await stream.closeWrite();
    return sent;
  }

  test.each(sizes)('Go echoes %d bytes of a stream that we opened', async (size) => {
    const [stream, theirs] = await openByUs();
    const told = await Promise.all([sendAndEnd(stream, size, size), theirs.echo(), receive(stream)]);
    expect(theirs.id).toBe(stream.id);
    expect(told).toEqual([whole(size, size, 'sent'), whole(size, size, 'eof'), whole(size, size, 'eof')]);
  });

  test.each(sizes)('we echo %d bytes of a stream that Go opened', async (size) => {
    const [stream, theirs] = await openByGo();
    const told = await Promise.all([sendAndEndInGo(theirs, size, size), echo(stream), theirs.receive()]);
    expect(theirs.id).toBe(stream.id);
    expect(told).toEqual([whole(size, size, 'sent'), whole(size, size, 'eof'), whole(size, size, 'eof')]);
  });

  test('we end our half, and Go answers after it saw the end', async () => {
    const [stream, theirs] = await openByUs();
    const answer = receive(stream);
    const question = await Promise.all([sendAndEnd(stream, 1, MiB), theirs.receive()]);
    const sent = await sendAndEndInGo(theirs, 2, MiB);
    expect(question).toEqual([whole(1, MiB, 'sent'), whole(1, MiB, 'eof')]);
    expect([sent, await answer]).toEqual([whole(2, MiB, 'sent'), whole(2, MiB, 'eof')]);
  });

  test('Go ends its half, and we answer after we saw the end', async () => {
    const [stream, theirs] = await openByGo();
    const answer = theirs.receive();
    const question = await Promise.all([sendAndEndInGo(theirs, 1, MiB), receive(stream)]);
    const sent = await sendAndEnd(stream, 2, MiB);
    expect(question).toEqual([whole(1, MiB, 'sent'), whole(1, MiB, 'eof')]);
    expect([sent, await answer]).toEqual([whole(2, MiB, 'sent'), whole(2, MiB, 'eof')]);
  });

  test('both ends write at the same time, each more than a window', async () => {
    const [stream, theirs] = await openByUs();
    const told = await Promise.all([
      sendAndEnd(stream, 1, 2 * MiB),
      receive(stream),
      sendAndEndInGo(theirs, 2, 2 * MiB),
      theirs.receive(),
    ]);
    expect(told).toEqual([
      whole(1, 2 * MiB, 'sent'),
      whole(2, 2 * MiB, 'eof'),
      whole(2, 2 * MiB, 'sent'),
      whole(1, 2 * MiB, 'eof'),
    ]);
  });

  test('forty streams, opened by both sides, echo at once and none mixes with another', async () => {
    const told: Promise<Transfer[]>[] = [];
    const expected: Transfer[][] = [];
    for (let seed = 0; seed < 40; seed += 2) {
      const size = 1 + seed * 30_011;
      const [stream, theirs] = await openByUs();
      const [streamToo, theirsToo] = await openByGo();
      told.push(Promise.all([sendAndEnd(stream, seed, size), theirs.echo(), receive(stream)]));
      told.push(Promise.all([sendAndEndInGo(theirsToo, seed + 1, size), echo(streamToo), theirsToo.receive()]));
      for (const own of [seed, seed + 1]) {
        expected.push([whole(own, size, 'sent'), whole(own, size, 'eof'), whole(own, size, 'eof')]);
      }
    }
    expect(await Promise.all(told)).toEqual(expected);
  });
});
