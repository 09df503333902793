// A satellite, a ship, 2G: 9 kB/s and a second for a round trip, with what a kernel and a modem hold in between.

import { describe, expect, test } from 'vitest';
import { client, type SessionOptions, server, type YamuxSession, type YamuxStream } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { pass, type SlowEnd, slowLink } from '../support/slow-link.ts';

const KIB = 1024;
const RATE = 9000;

class Scene {
  readonly clock: ManualClock = new ManualClock();
  readonly a: YamuxSession;
  readonly b: YamuxSession;
  readonly link: SlowEnd;
  /** What ended a session, and when, in seconds. */
  readonly ends: string[] = [];
  readonly #start: number = this.clock.now();

  constructor(buffer: number, options: SessionOptions = {}, ofPeer: SessionOptions = options) {
    const [left, right] = slowLink(this.clock, { rate: RATE, latency: 500, buffer });
    this.link = left;
    this.a = client(left, { clock: this.clock, ...options });
    this.b = server(right, { clock: this.clock, ...ofPeer });
    for (const [name, session] of [
      ['a', this.a],
      ['b', this.b],
    ] as const) {
      session.on('error', (error: NodeJS.ErrnoException) => this.ends.push(`${name} ${error.code} ${this.seconds}`));
    }
  }

  get seconds(): number {
    return (this.clock.now() - this.#start) / 1000;
  }

  pass(seconds: number): Promise<void> {
    return pass(this.clock, seconds * 1000);
  }

  /** A stream of a that b reads. */
  async stream(): Promise<{ near: YamuxStream; far: YamuxStream; received: () => number }> {
    const near = await this.a.open();
    near.on('error', () => {});
    const accepted = this.b.accept();
    await this.pass(2);
    const far = await accepted;
    let received = 0;
    far
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
    return { near, far, received: () => received };
  }

  /** Seconds that it takes `promise` to resolve; it must do so within a minute. */
  async took(promise: Promise<unknown>): Promise<number> {
    const from = this.seconds;
    const resolved = promise.then(() => this.seconds - from);
    await this.pass(60);
    return resolved;
  }
}

describe('over 9 kB/s and a second of round trip', () => {
  test('a ping beside a bulk stream waits for two seconds at most, and the link is full all the same', async () => {
    const scene = new Scene(0, { keepAliveInterval: 0 });
    const { near, received } = await scene.stream();
    near.write(Buffer.alloc(2048 * KIB));
    await scene.pass(20); // the first 128 KiB went before anything was known of the path
    const before = received();
    const from = scene.seconds;
    for (let asked = 0; asked < 2; asked += 1) expect(await scene.took(scene.a.ping())).toBeLessThan(1 + 2);
    expect((received() - before) / RATE).toBeGreaterThan(0.97 * (scene.seconds - from));
    scene.a.destroy();
  });

  test.each([64, 128, 200, 256, 512])(
    'a burst of %i KiB that the kernel takes at once ends no session',
    async (kib) => {
      for (const delay of [0, 20, 25, 28, 28.5]) {
        const scene = new Scene(4096 * KIB, {}, { keepAliveInterval: 0 });
        const { near, received } = await scene.stream();
        await scene.pass(delay);
        near.write(Buffer.alloc(kib * KIB));
        await scene.pass(120);
        expect([scene.ends, received()]).toEqual([[], kib * KIB]);
        scene.a.destroy();
        scene.b.destroy();
      }
    },
  );

  test.each([0, 16, 64, 256, 1024])('close() loses nothing that waits in a buffer of %i KiB', async (buffer) => {
    const scene = new Scene(buffer * KIB);
    const { near, far, received } = await scene.stream();
    far.end();
    near.resume();
    near.end(Buffer.alloc(300 * KIB));
    const closed = scene.a.close();
    await scene.pass(120);
    await closed;
    expect([scene.ends, received(), far.readableEnded, scene.b.state]).toEqual([[], 300 * KIB, true, 'closed']);
  });

  test.each([
    [20, 5000, 5000],
    [200, 5000, 35_000],
    [200, 20_000, 60_000],
    [200, 90_000, 90_000],
  ])(
    'behind %i KiB without a pong a transport with a closeTimeout of its own, %i ms, has %i',
    async (kib, before, after) => {
      const scene = new Scene(4096 * KIB);
      const { near, far } = await scene.stream();
      Object.assign(scene.link, { closeTimeout: before });
      far.end();
      near.resume();
      await scene.pass(2);
      near.end(Buffer.alloc(kib * KIB));
      void scene.a.close();
      await scene.pass(1);
      expect(scene.link).toMatchObject({ closeTimeout: after });
      scene.a.destroy();
      scene.b.destroy();
    },
  );

  // Under a bulk stream writeTimeout speaks, and may have looked just before the last progress; else keep-alive: its interval, and its timeout.
  test.each([
    ['nothing', 0, 0, 'KEEP_ALIVE', 30 + 10],
    ['a bulk stream', 0, 1024, 'WRITE', 2 * 30],
    ['a bulk stream, with 64 KiB in the kernel', 64, 1024, 'WRITE', 2 * 30],
    ['a burst that the kernel took', 4096, 400, 'KEEP_ALIVE', 30 + 6 * 10],
  ])('a link that dies under %s is noticed in time', async (_what, buffer, kib, by, limit) => {
    const scene = new Scene(buffer * KIB);
    const { near } = await scene.stream();
    if (kib > 0) near.write(Buffer.alloc(kib * KIB));
    await scene.pass(18);
    const died = scene.seconds;
    scene.link.standStill(true);
    await scene.pass(120);
    const ends = scene.ends.map((end) => end.split(' '));
    expect(ends.map(([who, code]) => `${who} ${code}`).sort()).toEqual([
      `a ERR_YAMUX_${by}_TIMEOUT`,
      'b ERR_YAMUX_KEEP_ALIVE_TIMEOUT',
    ]);
    for (const [who, , at] of ends) expect(Number(at) - died).toBeLessThanOrEqual(who === 'a' ? limit : 30 + 10);
  });
});
