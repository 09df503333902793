// A peer that asks for answers and takes none, or sends frames that carry nothing, as fast as it can.

import { afterEach, describe, expect, test } from 'vitest';
import type { SessionOptions, YamuxStream } from '../../src/index.ts';
import { FloodScene, KIB, liveBytes, MIB, NOISE } from '../support/flood-scene.ts';
import { ACK, ack, data, fin, frame, goAway, ping, pong, RST, SYN, syn, windowUpdate } from '../support/frames.ts';

let scene: FloodScene;

afterEach(() => {
  scene.session.destroy();
});

/** A session facing this peer, and the memory in use before the peer says anything. */
async function attacked(options: SessionOptions = {}): Promise<number> {
  scene = new FloodScene(options);
  return liveBytes();
}

/** Control frames that may wait (1 MiB), what is handed over (128 KiB, and a slab that crosses them), and one chunk's answers. */
const CONTROL_BOUND = MIB + 128 * KIB + 64 * KIB + 64 * KIB;

describe('a peer that reads nothing', () => {
  const floods: Array<readonly [what: string, frames: (n: number) => Buffer]> = [
    ['pings', (n) => ping(n)],
    ['SYNs that are refused', (n) => syn(2 * n + 1)],
    ['SYNs with data that are refused', (n) => data(2 * n + 1, 'x', SYN)],
  ];

  test.each(floods)(
    'and floods with %s ends the session: of the answers no more than about 1 MiB waits',
    async (_, make) => {
      const before = await attacked({ acceptBacklog: 0 });
      scene.link.isStuck = true;
      let most = 0;
      let sent = 0;
      for (; scene.session.state === 'open' && sent < 500_000; sent += 1) {
        await scene.send(make(sent));
        most = Math.max(most, scene.session.stats().queuedBytes);
      }
      expect(scene.error).toBeUndefined();
      await scene.flush();
      expect(scene.error).toMatchObject({ code: 'ERR_YAMUX_PEER_STALLED', scope: 'session', origin: 'remote' });
      // It is not judged before it is due, and not long after.
      expect(most).toBeGreaterThan(MIB);
      expect(most).toBeLessThan(CONTROL_BOUND);
      expect(scene.link.destroyed).toBe(true);
      expect((await liveBytes()) - before).toBeLessThan(NOISE);
    },
  );

  test('and pings a little in each turn makes us hold as little', async () => {
    const before = await attacked();
    scene.link.isStuck = true;
    for (let sent = 0; sent < 10_000; sent += 1) {
      await scene.send(ping(sent));
      await scene.flush();
    }
    expect(scene.session.stats().queuedBytes).toBe(10_000 * 12);
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
  });

  test('and sends data is given its credit half a window at a time, whatever the size of the frames', async () => {
    await attacked();
    scene.accept((stream) => stream.resume());
    scene.link.isStuck = true;
    await scene.send(syn(1));
    await scene.flush();
    const queued = scene.session.stats().queuedBytes;
    for (let sent = 0; sent < 128 * KIB; sent += 1) await scene.send(data(1, 'x'));
    await scene.flush();
    expect(scene.session.stats().queuedBytes).toBe(queued + 12);
  });

  test('not even when the stream was destroyed after end() and what was written cannot leave', async () => {
    await attacked();
    scene.accept((stream) => stream.end(Buffer.alloc(512 * KIB)).destroy());
    await scene.send(syn(1));
    await scene.flush();
    for (let sent = 0; sent < 10_000; sent += 1) await scene.send(data(1, 'x'));
    await scene.flush();
    expect(scene.heard('CREDIT')).toBe(0);
  });
});

describe('frames that carry nothing', () => {
  /** An accepted stream that has something to send for ever. */
  async function withStream(): Promise<{ before: number; stream: YamuxStream }> {
    const before = await attacked();
    let stream: YamuxStream | undefined;
    scene.accept((accepted) => {
      stream = accepted;
    });
    await scene.send(syn(1));
    await scene.flush();
    scene.link.heard.clear();
    return { before, stream: stream as YamuxStream };
  }

  const floods: Array<readonly [what: string, frame: Buffer]> = [
    ['empty Data', data(1)],
    ['empty Data on a stream that nobody opened', data(3)],
    ['a WindowUpdate of 0', windowUpdate(1, 0)],
    ['a WindowUpdate for a stream that nobody opened', windowUpdate(3, 0xffff_ffff)],
    ['ACK', ack(1)],
    ['FIN', fin(1)],
    ['FIN on a stream that nobody opened', fin(3)],
    ['RST on a stream that nobody opened', frame(1, RST, 3, 0)],
    ['a pong that nobody asked for', pong(7)],
    ['GoAway(0)', goAway(0)],
  ];

  test.each(floods)('%s: a hundred thousand are not answered, leave nothing behind, and do no harm', async (_, one) => {
    const { before, stream } = await withStream();
    for (let sent = 0; sent < 100_000; sent += 1) await scene.send(one);
    await scene.flush();
    expect(scene.link.heard.size).toBe(0);
    expect(scene.session.stats().framesReceived).toBe(100_001);
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
    stream.write('alive');
    await scene.flush();
    expect(scene.heard('DATA')).toBe(1);
    expect(stream.destroyed).toBe(false);
  });
});

test('pings are answered one for one, and leave nothing behind', async () => {
  const before = await attacked();
  for (let sent = 0; sent < 200_000; sent += 1) await scene.send(ping(sent));
  await scene.flush();
  expect(scene.heard('PING', ACK)).toBe(200_000);
  expect((await liveBytes()) - before).toBeLessThan(NOISE);
});

test('credit in crumbs is spent by the tick, not by the crumb', async () => {
  const before = await attacked();
  scene.accept((stream) => stream.write(Buffer.alloc(256 * KIB + 100_000)));
  await scene.send(syn(1));
  await scene.flush();
  scene.link.heard.clear();
  for (let sent = 0; sent < 100_000; sent += 1) await scene.send(windowUpdate(1, 1));
  await scene.flush();
  // 100,000 headers are 19 chunks; what each grants leaves in one frame.
  expect(scene.heard('DATA')).toBe(19);
  expect((await liveBytes()) - before).toBeLessThan(NOISE);
});

test('credit without end ends the session when it passes 2^32-1', async () => {
  await attacked();
  scene.accept();
  await scene.send(syn(1));
  for (let sent = 0; sent < 3; sent += 1) await scene.send(windowUpdate(1, 0x7fff_ffff));
  await scene.flush();
  expect(scene.error).toMatchObject({ code: 'ERR_YAMUX_PROTOCOL' });
  expect(scene.heard('GOAWAY')).toBe(1);
});
