// What the two sides say about the session itself: pings, go-aways, and how it ends.
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { YamuxSession } from '../../src/index.ts';
import { connectOverTcp } from './connection.ts';
import { GoPeer, type GoSession, type Role } from './go-peer.ts';
import { payload, sha256 } from './payload.ts';
import { receive, send } from './transfer.ts';

const executable = inject('goPeer');

describe.skipIf(executable === null).each<Role>(['client', 'server'])(
  'the session of our %s and hashicorp/yamux',
  (role) => {
    let peer: GoPeer;
    let ours: YamuxSession;
    let go: GoSession;

    beforeEach(async () => {
      peer = new GoPeer(executable as string);
      // No pings but the test's own: one that Go has not read when it closes makes TCP reset the connection.
      ({ ours, go } = await connectOverTcp(role, peer, { keepAliveInterval: 0 }));
    });

    afterEach(async () => {
      ours.destroy();
      expect(peer.complaints).toEqual([]);
      await peer.stop();
    });

    test('answers pings both ways', async () => {
      const [theirs, own] = await Promise.all([go.ping(), ours.ping()]);
      expect(theirs).toBeGreaterThan(0);
      expect(own).toBeGreaterThan(0);
    });

    test("outlives Go's goAway for the streams it has, and opens no more", async () => {
      const [stream, theirs] = await Promise.all([ours.open(), go.accept()]);
      const [[code]] = await Promise.all([once(ours, 'goAway'), go.goAway()]);
      expect(code).toBe(0);
      await expect(ours.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_GO_AWAY', origin: 'remote' });

      const [sent, received] = await Promise.all([
        theirs.send(3, 300_000).then((transfer) => theirs.closeWrite().then(() => transfer)),
        receive(stream),
      ]);
      expect(received).toEqual({ ...sent, outcome: 'eof' });
      expect(received.sha256).toBe(sha256(payload(3, 300_000)));
      stream.end();
      expect(await theirs.receive()).toMatchObject({ bytes: 0, outcome: 'eof' });
    });

    test('outlives our goAway for the streams it has, and Go opens no more', async () => {
      const [stream, theirs] = await Promise.all([ours.open(), go.accept()]);
      await ours.goAway();
      await expect(go.open()).rejects.toThrow('remote end is not accepting connections');

      const received = theirs.receive();
      const sent = await send(stream, 4, 300_000);
      stream.end();
      expect(await received).toEqual({ ...sent, outcome: 'eof' });
      await theirs.closeWrite();
      expect(await receive(stream)).toMatchObject({ bytes: 0, outcome: 'eof' });
    });

    test('ends without an error when Go closes it and no stream is live', async () => {
      await Promise.all([once(ours, 'close'), go.close()]);
      expect(ours.errored).toBeNull();
    });

    test('ends a live stream with an error, never with a clean end, when Go closes it', async () => {
      ours.on('error', () => {});
      const [stream, theirs] = await Promise.all([ours.open(), go.accept()]);
      const received = receive(stream);
      await theirs.send(5, 1000);
      await go.close();
      // A close with our bytes unread at Go resets the connection; either way it is the transport that is gone.
      expect((await received).outcome).toMatch(/^ERR_YAMUX_TRANSPORT_(ENDED|FAILED)$/);
    });
  },
);
