// On a manual clock: the streams are in memory, the timers and performance.now() are vitest's.
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { carry } from '../src/carry.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** 1,000 bytes a ms, and 40 ms to the other end. */
const shape = { delayMs: 40, bytesPerSecond: 1_000_000 };

/** Both ends, and the number of bytes that have come out. */
function link(): { near: PassThrough; far: PassThrough; arrived: () => number } {
  const near = new PassThrough({ highWaterMark: 100_000 });
  const far = new PassThrough();
  let bytes = 0;
  far.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  carry(near, far, shape);
  return { near, far, arrived: () => bytes };
}

/** Lets some ticks pass, because streams deliver asynchronously. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1) {
    await new Promise(setImmediate);
    vi.advanceTimersByTime(1);
  }
  await new Promise(setImmediate);
}

test('a byte arrives after the delay, and not earlier', async () => {
  const { near, arrived } = link();
  near.write(Buffer.alloc(1));
  await pass(39);
  expect(arrived()).toBe(0);
  await pass(3);
  expect(arrived()).toBe(1);
});

test('bytes arrive no faster than the bandwidth, and all of them', async () => {
  const { near, arrived } = link();
  for (let chunk = 0; chunk < 50; chunk += 1) near.write(Buffer.alloc(1_000));
  await pass(50);
  expect(arrived()).toBeGreaterThan(5_000);
  expect(arrived()).toBeLessThanOrEqual(11_000);
  await pass(60);
  expect(arrived()).toBe(50_000);
});

test('a sender that is faster than the link has to wait', async () => {
  const { near, arrived } = link();
  near.write(Buffer.alloc(20_000));
  near.write(Buffer.alloc(20_000));
  await new Promise(setImmediate);
  expect(near.readableFlowing).toBe(false);
  await pass(100);
  expect(near.readableFlowing).toBe(true);
  expect(arrived()).toBe(40_000);
});

test('the end arrives after the last byte', async () => {
  const { near, far, arrived } = link();
  near.end(Buffer.alloc(1_000));
  await pass(38);
  expect(far.writableEnded).toBe(false);
  await pass(6);
  expect(arrived()).toBe(1_000);
  expect(far.writableFinished).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('when one end is destroyed, the other is destroyed too', async () => {
  const { near, far } = link();
  far.destroy();
  await pass(1);
  expect(near.destroyed).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
