// Windows of 16 MiB between our session and hashicorp/yamux, over WebSockets. Go grants its window with its first frame. Ours grows, and then Go
// fills it with one frame, whose payload is one message.
import type { YamuxSession, YamuxStream } from '@zishuo/yamux';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { FrameLog } from '../../../yamux/test/interop/frame-log.ts';
import type {} from '../../../yamux/test/interop/global-setup.ts';
import { GoPeer, type GoSession, type GoStream, type Role } from '../../../yamux/test/interop/go-peer.ts';
import { receive, send } from '../../../yamux/test/interop/transfer.ts';
import { ManualClock } from '../../../yamux/test/support/manual-clock.ts';
import { closeServers } from '../support/http-server.ts';
import { acceptGo, dialGo } from './connection.ts';

const MIB = 1024 * 1024;
const LARGEST = 16 * MIB;

const executable = inject('goPeer');

describe.skipIf(executable === null).each<Role>(['client', 'server'])('our %s over a WebSocket', (role) => {
  let peer: GoPeer;
  let ours: YamuxSession;
  let go: GoSession;

  beforeEach(() => {
    peer = new GoPeer(executable as string);
  });

  afterEach(async () => {
    ours.destroy();
    await peer.stop();
    await closeServers();
  });

  async function openByGo(): Promise<[YamuxStream, GoStream]> {
    const [stream, theirs] = await Promise.all([ours.accept(), go.open()]);
    return [stream.on('error', () => {}), theirs];
  }

  test.each([
    ['a Go agent', acceptGo],
    ['a Go gateway', dialGo],
  ])('fills a window of 16 MiB that %s grants with its SYN and does not read', async (_who, connect) => {
    ({ ours, go } = await connect(role, peer, { keepAliveInterval: 0 }, { maxWindow: LARGEST }));
    using log = new FrameLog(ours);
    const [stream, theirs] = await openByGo();
    expect(log.received).toContain(`WINDOW_UPDATE SYN id=${stream.id} len=${LARGEST - 262_144}`);
    const sent = await send(stream, 1, LARGEST);
    stream.end();
    expect(sent).toMatchObject({ bytes: LARGEST, outcome: 'sent' });
    expect(await theirs.receive()).toEqual({ ...sent, outcome: 'eof' });
  });

  test.each([
    ['a Go agent', acceptGo],
    ['a Go gateway', dialGo],
  ])('takes a frame of more than 8 MiB from %s once its window has grown to 16', async (_who, connect) => {
    // A round trip of one second, and one second for each consumed window: on this path the window limits the stream.
    const clock = new ManualClock();
    ({ ours, go } = await connect(role, peer, { clock, keepAliveInterval: 0 }));
    const measured = ours.ping();
    clock.advance(1000);
    await measured;
    using log = new FrameLog(ours);
    const [stream, theirs] = await openByGo();
    let consumedAt = ours.stats().receiveWindows;
    const grown = new Promise<void>((resolve) => {
      stream.on('data', () => {
        if (stream.bytesRead >= consumedAt) {
          clock.advance(1000);
          consumedAt = stream.bytesRead + ours.stats().receiveWindows;
        }
        if (stream.bytesRead === 2 * LARGEST) resolve();
      });
    });
    await Promise.all([theirs.send(1, 2 * LARGEST), grown]);
    expect(ours.stats().receiveWindows).toBe(LARGEST);
    await ours.ping(); // Go has the credit for what was consumed, more than half a window

    const received = receive(stream);
    const sent = await theirs.send(2, LARGEST, LARGEST);
    await theirs.closeWrite();
    expect(await received).toEqual({ ...sent, outcome: 'eof' });
    const lengths = log.received
      .filter((frame) => frame.startsWith(`DATA id=${stream.id} `))
      .map((frame) => Number(frame.split('len=')[1]));
    expect(Math.max(...lengths)).toBeGreaterThan(LARGEST / 2);
  });
});
