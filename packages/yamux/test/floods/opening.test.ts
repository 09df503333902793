// A peer that opens streams, and opens and resets them, as fast as it can.

import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { SessionOptions, YamuxStream } from '../../src/index.ts';
import { FloodScene, liveBytes, MIB, NOISE, WINDOW } from '../support/flood-scene.ts';
import { ACK, data, FIN, fin, pong, RST, rst, SYN, syn } from '../support/frames.ts';

let scene: FloodScene;

afterEach(() => {
  scene.session.destroy();
});

/** A session facing this peer, and the memory in use before the peer says anything. */
async function attacked(options: SessionOptions = {}): Promise<number> {
  scene = new FloodScene(options);
  return liveBytes();
}

/** As many ids as the peer, a client, wants. */
function* ids(count: number): Generator<number> {
  for (let id = 1; id < 2 * count; id += 2) yield id;
}

describe('a peer that only opens streams', () => {
  test('fills the backlog when nobody accepts; whatever comes after is refused, and costs no memory', async () => {
    const before = await attacked();
    for (const id of ids(20_000)) await scene.send(syn(id));
    await scene.flush();
    expect(scene.session.stats()).toMatchObject({ streams: 256, backlog: 256 });
    expect(scene.heard('CREDIT', RST)).toBe(20_000 - 256);
    expect((await liveBytes()) - before).toBeLessThan(NOISE + 256 * 16_384);
    expect(scene.session.state).toBe('open');
  });

  test('fills maxInboundStreams when all are accepted; whatever comes after is refused, and costs no memory', async () => {
    const before = await attacked();
    let accepted = 0;
    scene.accept(() => {
      accepted += 1;
    });
    for (const id of ids(20_000)) await scene.send(syn(id));
    await scene.flush();
    expect(accepted).toBe(1000);
    expect(scene.session.streamCount).toBe(1000);
    expect(scene.heard('CREDIT', ACK)).toBe(1000);
    expect(scene.heard('CREDIT', RST)).toBe(19_000);
    expect((await liveBytes()) - before).toBeLessThan(NOISE + 1000 * 16_384);
    expect(scene.session.state).toBe('open');
  });

  test('and sends a whole window on each, is refused without anything being built or kept', async () => {
    const before = await attacked({ acceptBacklog: 0 });
    const payload = Buffer.alloc(WINDOW);
    for (const id of ids(500)) await scene.send(data(id, payload, SYN));
    await scene.flush();
    expect(scene.heard('CREDIT', RST)).toBe(500);
    expect(scene.session.stats().bytesReceived).toBeGreaterThan(125 * MIB);
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
  });

  test('after our goAway() is refused, and the streams from before go on', async () => {
    const before = await attacked();
    let received = '';
    scene.accept((stream) => stream.on('data', (chunk) => (received += chunk)));
    await scene.send(syn(1));
    await scene.flush();
    void scene.session.goAway();
    await scene.send(pong(1));
    for (const id of ids(20_000)) if (id > 1) await scene.send(syn(id));
    await scene.send(data(1, 'still here'));
    await scene.flush();
    expect(scene.heard('CREDIT', RST)).toBe(19_999);
    expect(received).toBe('still here');
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
  });

  test('holds no more than maxInboundStreams × 256 KiB, also by streams that it has ended and nobody has read', async () => {
    await attacked({ maxInboundStreams: 10, resetBurst: 1_000_000 });
    const accepted: YamuxStream[] = [];
    scene.accept((stream) => accepted.push(stream.end('early answer')));
    const payload = Buffer.alloc(WINDOW);
    const endings = [(id: number) => [fin(id)], (id: number) => [fin(id), rst(id)]];
    for (const id of ids(100)) {
      const end = endings[((id - 1) / 2) % 2] as (id: number) => Buffer[];
      await scene.send(data(id, payload, SYN), ...end(id));
      await scene.flush();
    }
    const inDuplexes = accepted.reduce((bytes, { readableLength }) => bytes + readableLength, 0);
    expect(inDuplexes + scene.session.stats().unreadBytes).toBe(10 * WINDOW);
    expect(scene.heard('CREDIT', RST)).toBe(90);
    expect(scene.session.stats()).toMatchObject({ streams: 0, inboundStreams: 0, outboundStreams: 0 });
    for (const stream of accepted) stream.resume();
    // Nobody listens: all goes in the second turn.
    await scene.flush();
    await scene.flush();
    await scene.send(syn(1001));
    await scene.flush();
    expect(accepted).toHaveLength(11);
  });

  test('and whose streams die in the backlog, leaves nothing behind', async () => {
    const before = await attacked({ resetBurst: 1_000_000 });
    const payload = Buffer.alloc(WINDOW);
    for (const id of ids(500)) await scene.send(data(id, payload, SYN), fin(id), rst(id));
    await scene.flush();
    expect(scene.session.stats()).toMatchObject({ streams: 0, backlog: 0 });
    expect(scene.clock.pending).toBe(0);
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
  });
});

describe('a peer that opens and resets streams', () => {
  test('costs nobody else a stream: past resetBurst its new ones are refused, the others go on, the session lives', async () => {
    const before = await attacked();
    let offered = 0;
    let received = '';
    scene.accept((stream) => {
      offered += 1;
      if (stream.id === 1) stream.on('data', (chunk) => (received += chunk));
    });
    await scene.send(data(1, 'before ', SYN));
    for (const id of ids(50_000)) if (id > 1) await scene.send(syn(id), rst(id));
    await scene.send(data(1, 'and after'));
    await scene.flush();
    expect(offered).toBe(1 + 1000);
    expect(scene.heard('CREDIT', RST)).toBe(49_999 - 1000);
    expect(received).toBe('before and after');
    expect(scene.session.state).toBe('open');
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
  });

  test('may go on with 200 a second', async () => {
    await attacked();
    let offered = 0;
    scene.accept(() => {
      offered += 1;
    });
    const flood = async (): Promise<number> => {
      offered = 0;
      for (const id of ids(5000)) await scene.send(syn(id), rst(id));
      await scene.flush();
      return offered;
    };
    expect(await flood()).toBe(1000);
    expect(await flood()).toBe(0);
    scene.clock.advance(1000);
    expect(await flood()).toBe(200);
    scene.clock.advance(3_600_000);
    expect(await flood()).toBe(1000);
  });

  test('has as little from it when we are made to send the RST: Data after FIN', async () => {
    await attacked({ resetBurst: 100 });
    let offered = 0;
    scene.accept(() => {
      offered += 1;
    });
    for (const id of ids(5000)) await scene.send(syn(id), fin(id), data(id, 'x'));
    await scene.flush();
    expect(offered).toBe(100);
    expect(scene.session.state).toBe('open');
  });

  test('and puts both into one frame, opens nothing', async () => {
    const before = await attacked();
    scene.accept(() => expect.unreachable());
    for (const id of ids(50_000)) await scene.send(data(id, '', SYN | RST));
    await scene.flush();
    expect(scene.link.heard.size).toBe(0);
    expect((await liveBytes()) - before).toBeLessThan(NOISE);
  });
});

test('a stream that is opened, used and ended a hundred thousand times leaves nothing behind', async () => {
  const before = await attacked();
  scene.accept((stream) => stream.resume().end('done'));
  for (const id of ids(100_000)) {
    await scene.send(data(id, 'used', SYN | FIN));
    // No more at once than may be alive.
    if (id % 1000 === 999) await scene.flush();
  }
  await scene.flush();
  expect(scene.heard('CREDIT', FIN)).toBe(100_000);
  expect(scene.session.streamCount).toBe(0);
  expect(scene.clock.pending).toBe(0);
  expect((await liveBytes()) - before).toBeLessThan(NOISE);
});

test('whatever the peer and the application do to streams, their count is exact: as many as before may be opened afterwards', async () => {
  const limit = 3;
  const id = fc.constantFrom(1, 3, 5, 7, 9);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom('syn', 'data', 'fin', 'rst'), id) },
    fc.tuple(fc.constantFrom('end', 'destroy', 'reset', 'resume', 'fail'), id),
    fc.tuple(fc.constantFrom('accept', 'listen', 'turn'), id),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      scene = new FloodScene({ maxInboundStreams: limit, acceptBacklog: 2 });
      const { session } = scene;
      const accepted: YamuxStream[] = [];
      const take = (stream: YamuxStream): void => {
        accepted.push(stream.on('error', () => {}));
      };
      /** Whose stream is alive for the peer: a second SYN would be a violation. */
      const open = new Set<number>();
      const sends: Record<string, (id: number) => Buffer> = { data: (on) => data(on, 'x'), fin, rst };
      for (const [what, on] of steps) {
        const stream = accepted.filter((one) => one.id === on).at(-1);
        if (what === 'syn') {
          if (!open.has(on)) await scene.send(syn(on));
          open.add(on);
        } else if (what in sends) {
          await scene.send((sends[what] as (id: number) => Buffer)(on));
          if (what === 'rst') open.delete(on);
        } else if (what === 'end') stream?.end();
        else if (what === 'destroy') stream?.destroy();
        else if (what === 'fail') stream?.destroy(new Error('of the application'));
        else if (what === 'reset') stream?.reset(7);
        else if (what === 'resume') stream?.resume();
        else if (what === 'accept') session.accept().then(take, () => {});
        else if (what === 'listen') session.on('stream', take);
        else await scene.flush();
        expect(session.stats().inboundStreams).toBeLessThanOrEqual(limit);
      }
      for (const on of [1, 3, 5, 7, 9]) await scene.send(rst(on));
      await scene.flush();
      session.on('stream', take);
      await scene.flush();
      for (const stream of accepted) stream.destroy();
      await scene.flush();
      expect(session.stats()).toMatchObject({ streams: 0, inboundStreams: 0, outboundStreams: 0, backlog: 0 });
      scene.link.heard.clear();
      for (const on of ids(limit + 1)) await scene.send(syn(100 + on));
      await scene.flush();
      expect(session.stats().inboundStreams).toBe(limit);
      expect(scene.heard('CREDIT', RST)).toBe(1);
      session.destroy();
    }),
    { numRuns: 200 },
  );
});
