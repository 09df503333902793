import type { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/session/options.ts';
import { WriteProgress } from '../../src/session/write-progress.ts';
import { WriteWatch } from '../../src/session/write-watch.ts';
import { ManualClock } from '../support/manual-clock.ts';

const TIMEOUT = 30_000;

/** What the watch looks at in a transport, and the moves of the outbox over it. */
class Scene {
  readonly clock: ManualClock = new ManualClock();
  readonly stalledAt: number[] = [];
  readonly watch: WriteWatch;
  handedOver = 0;
  taken = 0;
  writableLength = 0;
  _handle: { writeQueueSize: number } | null | undefined;
  writeTimeout: unknown;
  readonly #start: number = this.clock.now();

  constructor({ writeTimeout = TIMEOUT, own }: { writeTimeout?: number; own?: unknown } = {}) {
    this.writeTimeout = own;
    const transport = this as unknown as Duplex;
    const progress = new WriteProgress(
      transport,
      () => this.handedOver,
      () => this.taken,
    );
    this.watch = new WriteWatch(transport, progress, resolveOptions({ clock: this.clock, writeTimeout }), () =>
      this.stalledAt.push(this.clock.now() - this.#start),
    );
  }

  handOver(bytes: number): void {
    this.handedOver += bytes;
    this.writableLength += bytes;
    this.watch.begin();
  }

  take(bytes: number): void {
    this.writableLength -= bytes;
    this.taken += bytes;
    this.watch.progressed();
  }
}

describe('a transport', () => {
  test('that takes nothing for writeTimeout is stalled, told once', () => {
    const scene = new Scene();
    scene.handOver(100);
    scene.clock.advance(TIMEOUT - 1);
    expect(scene.stalledAt).toEqual([]);
    scene.clock.advance(1);
    expect(scene.stalledAt).toEqual([TIMEOUT]);
    scene.clock.advance(10 * TIMEOUT);
    expect(scene.stalledAt).toEqual([TIMEOUT]);
  });

  test('is not excused by what is handed over meanwhile', () => {
    const scene = new Scene();
    scene.handOver(100);
    scene.clock.advance(20_000);
    scene.handOver(100);
    scene.clock.advance(10_000);
    expect(scene.stalledAt).toEqual([TIMEOUT]);
  });

  test('has as long again whenever it has taken something', () => {
    const scene = new Scene();
    scene.handOver(100);
    for (let taken = 0; taken < 10; taken += 1) {
      scene.clock.advance(TIMEOUT - 1);
      scene.take(1);
    }
    expect(scene.stalledAt).toEqual([]);
    scene.clock.advance(TIMEOUT);
    expect(scene.stalledAt).toEqual([10 * (TIMEOUT - 1) + TIMEOUT]);
  });

  test('that has taken all is not watched, for however long', () => {
    const scene = new Scene();
    scene.handOver(100);
    scene.take(100);
    scene.clock.advance(10 * TIMEOUT);
    expect(scene.stalledAt).toEqual([]);
    expect(scene.clock.pending).toBe(0);
  });

  test('that takes all at once is never watched', () => {
    const scene = new Scene();
    scene.watch.begin();
    expect(scene.clock.pending).toBe(0);
  });

  test('that had taken all has the whole time for what is handed over later', () => {
    const scene = new Scene();
    scene.handOver(100);
    scene.take(100);
    scene.clock.advance(TIMEOUT - 1);
    scene.handOver(100);
    scene.clock.advance(1);
    expect(scene.stalledAt).toEqual([]);
    scene.clock.advance(TIMEOUT - 2);
    expect(scene.stalledAt).toEqual([]);
    scene.clock.advance(1);
    expect(scene.stalledAt).toEqual([2 * TIMEOUT - 1]);
  });
});

describe("somebody else's bytes before ours", () => {
  const KIB = 1024;

  /** `foreign` bytes were written past the session before it handed over 100 bytes. */
  function behind(foreign: number): Scene {
    const scene = new Scene();
    scene.writableLength = foreign;
    scene.handOver(100);
    return scene;
  }

  test.each([
    [128 * KIB - 1, 1],
    [128 * KIB, 2],
    [256 * KIB - 1, 2],
    [256 * KIB, 3],
    [1024 * KIB, 9],
  ])('of %i bytes make it %i times writeTimeout until the transport is stalled', (foreign, periods) => {
    const scene = behind(foreign);
    scene.clock.advance(periods * TIMEOUT - 1);
    expect(scene.stalledAt).toEqual([]);
    scene.clock.advance(1);
    expect(scene.stalledAt).toEqual([periods * TIMEOUT]);
    scene.clock.advance(20 * TIMEOUT);
    expect(scene.stalledAt).toEqual([periods * TIMEOUT]);
    expect(scene.clock.pending).toBe(0);
  });

  test('give no more time once they are taken', () => {
    const scene = behind(1024 * KIB);
    scene.clock.advance(TIMEOUT);
    scene.writableLength -= 1024 * KIB;
    scene.clock.advance(TIMEOUT);
    expect(scene.stalledAt).toEqual([]);
    scene.clock.advance(TIMEOUT);
    expect(scene.stalledAt).toEqual([3 * TIMEOUT]);
  });

  test('give as much time again whenever something of ours was taken', () => {
    const scene = behind(128 * KIB);
    scene.clock.advance(TIMEOUT);
    scene.take(1);
    scene.clock.advance(2 * TIMEOUT - 1);
    expect(scene.stalledAt).toEqual([]);
    scene.clock.advance(1);
    expect(scene.stalledAt).toEqual([3 * TIMEOUT]);
  });

  test('leave no timer when all is taken', () => {
    const scene = behind(1024 * KIB);
    scene.clock.advance(3 * TIMEOUT);
    scene.writableLength -= 1024 * KIB;
    scene.take(100);
    scene.clock.advance(10 * TIMEOUT);
    expect(scene.stalledAt).toEqual([]);
    expect(scene.clock.pending).toBe(0);
  });

  test('are not our own, however many these are', () => {
    const scene = new Scene();
    scene.handOver(1024 * KIB);
    scene.clock.advance(TIMEOUT);
    expect(scene.stalledAt).toEqual([TIMEOUT]);
  });
});

describe("a socket's write queue", () => {
  test('that got shorter counts as taken, though no callback came', () => {
    const scene = new Scene();
    scene._handle = { writeQueueSize: 1000 };
    scene.handOver(1000);
    scene.clock.advance(20_000);
    scene._handle.writeQueueSize = 400;
    scene.clock.advance(10_000);
    expect(scene.stalledAt).toEqual([]);
    scene.clock.advance(TIMEOUT - 1);
    expect(scene.stalledAt).toEqual([]);
    scene.clock.advance(1);
    expect(scene.stalledAt).toEqual([2 * TIMEOUT]);
  });

  test('that stayed as long does not, nor does what is handed over behind it', () => {
    for (const bytes of [0, 2000]) {
      const scene = new Scene();
      scene._handle = { writeQueueSize: 1000 };
      scene.handOver(1000);
      scene.clock.advance(1000);
      scene.handOver(bytes);
      scene.clock.advance(TIMEOUT - 1000);
      expect(scene.stalledAt).toEqual([TIMEOUT]);
    }
  });

  test('is not there once the socket is destroyed', () => {
    const scene = new Scene();
    scene._handle = { writeQueueSize: 0 };
    scene.handOver(1000);
    scene._handle = null;
    scene.clock.advance(TIMEOUT);
    expect(scene.stalledAt).toEqual([TIMEOUT]);
  });
});

test('no watch is kept with a writeTimeout of 0, or over a transport that has a numeric one of its own', () => {
  for (const scene of [new Scene({ writeTimeout: 0 }), new Scene({ own: 10_000 }), new Scene({ own: 0 })]) {
    scene.handOver(100);
    expect(scene.clock.pending).toBe(0);
    scene.take(1);
    expect(scene.clock.pending).toBe(0);
    scene.watch.stop();
  }
  const other = new Scene({ own: 'long' });
  other.handOver(100);
  expect(other.clock.pending).toBe(1);
});

test('a process that was suspended gives the transport as long again', () => {
  const scene = new Scene();
  scene.handOver(100);
  scene.clock.suspend(3_600_000);
  expect(scene.stalledAt).toEqual([]);
  scene.take(100);
  scene.clock.advance(10 * TIMEOUT);
  expect(scene.stalledAt).toEqual([]);
});

test('stop() leaves no timer, and what is handed over or taken afterwards arms none', () => {
  for (const taken of [0, 100]) {
    const scene = new Scene();
    scene.handOver(100);
    scene.take(taken);
    scene.watch.stop();
    expect(scene.clock.pending).toBe(0);
    scene.handOver(100);
    scene.take(50);
    expect(scene.clock.pending).toBe(0);
  }
});
