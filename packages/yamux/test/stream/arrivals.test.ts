import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Arrivals } from '../../src/stream/arrivals.ts';

/** A slice of `length` bytes in memory of `chunk` bytes. */
const sliceOf = (length: number, chunk: number, byte = 0): Buffer =>
  Buffer.allocUnsafeSlow(chunk).subarray(0, length).fill(byte);

/** All that waits. */
function takeAll(arrivals: Arrivals): Buffer[] {
  const taken: Buffer[] = [];
  for (let chunk = arrivals.take(); chunk; chunk = arrivals.take()) taken.push(chunk);
  return taken;
}

/** Bytes of memory that are kept alive by `chunks`. */
function pinnedBy(chunks: readonly Buffer[]): number {
  const memory = new Set(chunks.map(({ buffer }) => buffer));
  return [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

const length = fc.oneof(
  { weight: 3, arbitrary: fc.nat(50) },
  fc.nat(1100),
  fc.nat(5000),
  fc.nat(40_000),
  fc.nat(200_000),
);
const share = fc.constantFrom(1, 2, 3, 30);

test('equals a plain buffer, whatever is kept and taken in whatever order', () => {
  const keep = fc.record({ kind: fc.constant('keep' as const), length, share });
  const other = fc.record({ kind: fc.constantFrom('take' as const, 'take' as const, 'takeAll' as const) });
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 3, arbitrary: keep }, { weight: 2, arbitrary: other }), { maxLength: 60 }),
      (steps) => {
        const arrivals = new Arrivals();
        let naive = Buffer.alloc(0);
        let byte = 0;
        /** What was given away must stay as it was. */
        const given: Array<{ chunk: Buffer; asItWas: Buffer }> = [];
        const check = (chunk: Buffer): void => {
          expect(chunk.length).toBeGreaterThan(0);
          expect(chunk.length).toBeLessThanOrEqual(65_536);
          expect(chunk.equals(naive.subarray(0, chunk.length))).toBe(true);
          naive = naive.subarray(chunk.length);
          given.push({ chunk, asItWas: Buffer.from(chunk) });
        };
        for (const step of steps) {
          if (step.kind === 'keep') {
            byte = (byte + 1) % 256;
            const slice = sliceOf(step.length, Math.max(1, step.length * step.share), byte);
            arrivals.keep(slice);
            naive = Buffer.concat([naive, slice]);
          } else if (step.kind === 'takeAll') {
            for (const chunk of takeAll(arrivals)) check(chunk);
            expect(naive.length).toBe(0);
          } else {
            const chunk = arrivals.take();
            expect(chunk === undefined).toBe(naive.length === 0);
            if (chunk) check(chunk);
          }
          expect(arrivals.length).toBe(naive.length);
        }
        for (const { chunk, asItWas } of given) expect(chunk.equals(asItWas)).toBe(true);
      },
    ),
  );
});

describe('what waits', () => {
  test('pins at most twice its own size, and two slabs of 4 KiB', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ length, share }), { maxLength: 60 }), (slices) => {
        const arrivals = new Arrivals();
        for (const one of slices) arrivals.keep(sliceOf(one.length, Math.max(1, one.length * one.share)));
        const waiting = arrivals.length;
        expect(pinnedBy(takeAll(arrivals))).toBeLessThanOrEqual(2 * waiting + 2 * 4096);
      }),
    );
  });

  test('of 20,000 slices of one byte, each in a chunk of 64 KiB, is a few pieces and none of the chunks', () => {
    const arrivals = new Arrivals();
    const chunk = Buffer.allocUnsafeSlow(65_536);
    for (let at = 0; at < 20_000; at += 1) arrivals.keep(chunk.subarray(at, at + 1));
    const taken = takeAll(arrivals);
    expect(taken.some(({ buffer }) => buffer === chunk.buffer)).toBe(false);
    expect(taken.length).toBeLessThanOrEqual(6);
    expect(pinnedBy(taken)).toBeLessThanOrEqual(20_000 + 2 * 4096);
  });

  test('of one small slice pins 256 bytes', () => {
    const arrivals = new Arrivals();
    arrivals.keep(sliceOf(1, 65_536));
    expect(pinnedBy(takeAll(arrivals))).toBe(256);
  });
});

describe('a slice', () => {
  test.each([
    [1024, 1024],
    [32_768, 65_536],
    [65_536, 65_536],
    [5000, 5000],
  ])('of %d bytes in memory of %d is kept as it is', (bytes, memory) => {
    const arrivals = new Arrivals();
    const slice = sliceOf(bytes, memory);
    arrivals.keep(slice);
    expect(arrivals.take()).toBe(slice);
  });

  test.each([
    [1023, 1023],
    [32_767, 65_536],
    [2048, 65_536],
    [2049, 65_536],
    [1, 1],
  ])('of %d bytes in memory of %d, a small part of it or small, is copied', (bytes, memory) => {
    const arrivals = new Arrivals();
    const slice = sliceOf(bytes, memory, 7);
    arrivals.keep(slice);
    const taken = arrivals.take() as Buffer;
    expect(taken.buffer).not.toBe(slice.buffer);
    expect(taken.equals(slice)).toBe(true);
  });

  test.each([
    [65_537, [65_536, 1]],
    [131_072, [65_536, 65_536]],
    [200_000, [65_536, 65_536, 65_536, 3392]],
  ])('of %d bytes is given out in pieces of %j, each in memory of its own', (bytes, lengths) => {
    const arrivals = new Arrivals();
    const slice = sliceOf(bytes, bytes);
    for (let at = 0; at < bytes; at += 1) slice[at] = at % 251;
    arrivals.keep(slice);
    expect(arrivals.length).toBe(bytes);
    const taken = takeAll(arrivals);
    expect(taken.map((piece) => piece.length)).toEqual(lengths);
    expect(taken.map((piece) => piece.buffer.byteLength)).toEqual(lengths);
    expect(Buffer.concat(taken).equals(slice)).toBe(true);
  });

  test('is measured by the memory below, not by the Buffer it was cut from', () => {
    const arrivals = new Arrivals();
    const chunk = Buffer.allocUnsafeSlow(65_536).subarray(0, 2048);
    const slice = chunk.subarray(0, 2048);
    arrivals.keep(slice);
    expect(arrivals.take()?.buffer).not.toBe(slice.buffer);
  });

  test('that is small and comes between large ones keeps its place', () => {
    const arrivals = new Arrivals();
    for (const [bytes, byte] of [
      [5000, 1],
      [10, 2],
      [10, 3],
      [5000, 4],
      [10, 5],
    ] as const) {
      arrivals.keep(sliceOf(bytes, bytes, byte));
    }
    expect(takeAll(arrivals).map((chunk) => [chunk.length, chunk[0], chunk.at(-1)])).toEqual([
      [5000, 1, 1],
      [20, 2, 3],
      [5000, 4, 4],
      [10, 5, 5],
    ]);
  });
});

test('what was given away is never written into: its slab goes on behind it', () => {
  const arrivals = new Arrivals();
  arrivals.keep(Buffer.alloc(100, 'a'));
  const first = arrivals.take() as Buffer;
  arrivals.keep(Buffer.alloc(100, 'b'));
  const second = arrivals.take() as Buffer;
  expect(String(first)).toBe('a'.repeat(100));
  expect(second.buffer).toBe(first.buffer);
});
