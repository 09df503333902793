import type { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { WriteProgress } from '../../src/session/write-progress.ts';

/** What it looks at in a transport, what the transport was given, and of how much of that it has called back. */
class Scene {
  handedOver = 0;
  taken = 0;
  writableLength = 0;
  _handle: { writeQueueSize?: number } | null | undefined;
  readonly progress: WriteProgress = new WriteProgress(
    this as unknown as Duplex,
    () => this.handedOver,
    () => this.taken,
  );

  handOver(bytes: number, now: number): void {
    this.handedOver += bytes;
    this.writableLength += bytes;
    this.progress.begin(now);
  }

  take(bytes: number, now: number): void {
    this.writableLength -= bytes;
    this.taken += bytes;
    this.progress.advanced(now);
  }
}

describe('what is done', () => {
  test('is what was handed over, without what the transport still has in its buffer', () => {
    const scene = new Scene();
    scene.handOver(1000, 0);
    expect([scene.progress.done, scene.progress.backlog]).toEqual([0, 1000]);
    scene.take(400, 5);
    expect([scene.progress.done, scene.progress.backlog]).toEqual([400, 600]);
    scene.take(600, 6);
    expect([scene.progress.done, scene.progress.backlog]).toEqual([1000, 0]);
  });

  test("grows while the queue below a socket's buffer gets shorter, though no callback came", () => {
    const scene = new Scene();
    scene._handle = { writeQueueSize: 1000 };
    scene.handOver(1000, 0);
    const before = scene.progress.done;
    scene._handle.writeQueueSize = 300;
    expect(scene.progress.done - before).toBe(700);
  });

  test.each([undefined, null, {}])('is seen over a transport with a handle of %o', (handle) => {
    const scene = new Scene();
    scene._handle = handle;
    scene.handOver(10, 0);
    expect(scene.progress.backlog).toBe(10);
    scene.take(10, 1);
    expect(scene.progress.done).toBe(10);
  });

  test('grows with the bytes of somebody else that stand before ours', () => {
    const scene = new Scene();
    scene.writableLength = 8_000_000;
    scene.handOver(10, 0);
    const before = scene.progress.done;
    scene.writableLength -= 1;
    expect(scene.progress.done).toBe(before + 1);
  });

  test('stays as it is when more is handed over behind what waits', () => {
    const scene = new Scene();
    scene._handle = { writeQueueSize: 1000 };
    scene.handOver(1000, 0);
    const before = scene.progress.done;
    scene.handOver(500, 1);
    expect(scene.progress.done).toBe(before);
  });
});

describe("somebody else's bytes", () => {
  test('are what the transport has in its buffer beyond ours that it has not taken', () => {
    const scene = new Scene();
    scene.writableLength = 500;
    scene.handOver(1000, 0);
    expect(scene.progress.foreignBacklog).toBe(500);
    scene.writableLength -= 200;
    expect(scene.progress.foreignBacklog).toBe(300);
    scene.writableLength -= 300;
    expect(scene.progress.foreignBacklog).toBe(0);
    scene.take(1000, 5);
    expect(scene.progress.foreignBacklog).toBe(0);
  });

  test('are none where the buffer is shorter than what we handed over: the callback comes later', () => {
    const scene = new Scene();
    scene.handOver(1000, 0);
    scene.writableLength = 0;
    expect(scene.progress.foreignBacklog).toBe(0);
  });

  test("are not looked for in the queue below Node's", () => {
    const scene = new Scene();
    scene._handle = { writeQueueSize: 1000 };
    scene.handOver(1000, 0);
    expect(scene.progress.foreignBacklog).toBe(0);
  });
});

describe('the pace', () => {
  test('is without bound before the transport was waited for', () => {
    const scene = new Scene();
    expect(scene.progress.pace).toBe(Number.POSITIVE_INFINITY);
    scene.handedOver += 1000;
    scene.progress.begin(0);
    scene.progress.advanced(100);
    expect(scene.progress.pace).toBe(Number.POSITIVE_INFINITY);
  });

  test('is the bytes of ours that it took by the ms for which it was waited', () => {
    const scene = new Scene();
    scene.handOver(1000, 50);
    scene.take(100, 60);
    expect(scene.progress.pace).toBe(10);
    scene.take(100, 150);
    expect(scene.progress.pace).toBe(2);
  });

  test('begins anew when something is handed over after all was taken, and stays till then', () => {
    const scene = new Scene();
    scene.handOver(1000, 0);
    scene.take(1000, 10);
    expect(scene.progress.pace).toBe(100);
    scene.progress.advanced(5000);
    expect(scene.progress.pace).toBe(100);
    scene.handOver(100, 10_000);
    scene.take(50, 10_050);
    expect(scene.progress.pace).toBe(1);
  });

  test('is not measured anew by what is handed over while something waits', () => {
    const scene = new Scene();
    scene.handOver(1000, 0);
    scene.take(500, 50);
    scene.handOver(500, 50);
    scene.take(250, 100);
    expect(scene.progress.pace).toBe(7.5);
  });

  test("of a socket counts bytes once that stand in Node's buffer and in the queue below it", () => {
    const scene = new Scene();
    // Node keeps a write in its buffer until its callback, which comes when the queue below is empty.
    scene._handle = { writeQueueSize: 1000 };
    scene.handOver(1000, 0);
    scene._handle.writeQueueSize = 0;
    scene.take(1000, 100);
    expect(scene.progress.pace).toBe(10);
  });

  test('counts nothing of somebody else, whose bytes it let go before ours', () => {
    const scene = new Scene();
    scene.writableLength = 8_000_000;
    scene.handOver(1000, 0);
    scene.writableLength -= 8_000_000;
    scene.progress.advanced(10);
    expect(scene.progress.pace).toBe(0);
    scene.take(1000, 100);
    expect(scene.progress.pace).toBe(10);
  });

  test('counts nothing that it took before it was waited for', () => {
    const scene = new Scene();
    scene.handedOver = 5000;
    scene.taken = 5000;
    scene.handOver(1000, 0);
    scene.take(1000, 100);
    expect(scene.progress.pace).toBe(10);
  });

  test('is not judged within no time at all', () => {
    const scene = new Scene();
    scene.handOver(1000, 7);
    scene.take(1000, 7);
    expect(scene.progress.pace).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('what may be handed over ahead', () => {
  const KIB = 1024;

  /** Waited for all the time, it takes 100 KiB every so many ms. */
  function taking(every: number): Scene {
    const scene = new Scene();
    scene.handOver(10_000 * KIB, 0);
    for (let now = every; now <= 20_000; now += every) scene.take(100 * KIB, now);
    return scene;
  }

  test.each([
    [1000, 50 * KIB],
    [10_000, 5 * KIB],
    [20_000, 4 * KIB],
    [400, 125 * KIB],
    [200, 128 * KIB],
  ])('is what a transport that takes 100 KiB in %i ms takes in half a second, within bounds', (every, ahead) => {
    expect(taking(every).progress.ahead).toBe(ahead);
  });

  test('is 128 KiB until half a second was waited', () => {
    const scene = new Scene();
    scene.handOver(1000, 0);
    scene.take(1, 499);
    expect(scene.progress.ahead).toBe(128 * KIB);
    scene.take(1, 500);
    expect(scene.progress.ahead).toBe(4 * KIB);
  });

  test('is not believed of a kernel that takes much at a time and then nothing for long', () => {
    const scene = taking(10_000);
    for (let now = 30_000; now <= 60_000; now += 10_000) {
      for (let piece = 0; piece < 10; piece += 1) scene.take(9 * KIB, now);
      expect(scene.progress.ahead).toBeLessThanOrEqual(5 * KIB);
    }
  });

  test('does not shrink by the time in which nothing was to be sent', () => {
    const scene = new Scene();
    for (let now = 0; now < 100_000; now += 10_000) {
      scene.handOver(100 * KIB, now);
      scene.take(100 * KIB, now + 100);
    }
    expect(scene.progress.ahead).toBe(128 * KIB);
  });

  test('follows a stall down, and up again when a MiB was taken', () => {
    const scene = new Scene();
    scene.handOver(10_000 * KIB, 0);
    scene.take(10 * KIB, 25_000);
    expect(scene.progress.ahead).toBe(4 * KIB);
    for (let taken = 0; taken < 1024; taken += 8) scene.take(8 * KIB, 25_010);
    expect(scene.progress.ahead).toBe(128 * KIB);
  });
});
