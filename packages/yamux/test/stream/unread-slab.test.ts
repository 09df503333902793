import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyOf, isSmallPart, UnreadSlab } from '../../src/stream/unread-slab.ts';

/** A slice of `length` bytes in memory of `chunk` bytes. */
const sliceOf = (length: number, chunk: number): Buffer => Buffer.allocUnsafeSlow(chunk).subarray(0, length);

describe('a small part', () => {
  test('is what has less than a kilobyte, or less than half of the memory it lives in', () => {
    expect(isSmallPart(sliceOf(1023, 1023))).toBe(true);
    expect(isSmallPart(sliceOf(1024, 1024))).toBe(false);
    expect(isSmallPart(sliceOf(32_768, 65_536))).toBe(false);
    expect(isSmallPart(sliceOf(32_767, 65_536))).toBe(true);
    expect(isSmallPart(sliceOf(65_536, 65_536))).toBe(false);
  });

  test('is measured by the memory below, not by the Buffer it was cut from', () => {
    const chunk = Buffer.allocUnsafeSlow(65_536).subarray(0, 2048);
    expect(isSmallPart(chunk.subarray(0, 2048))).toBe(true);
  });
});

describe('a slab', () => {
  test('gives back what was appended, in order, and is then empty', () => {
    const slab = new UnreadSlab();
    for (const text of ['a', 'bc', 'def']) expect(slab.append(Buffer.from(text))).toBe(true);
    expect(slab.length).toBe(6);
    expect(String(slab.take())).toBe('abcdef');
    expect(slab.length).toBe(0);
    expect(slab.take()).toBeUndefined();
  });

  test('takes 4096 bytes and refuses one more without a change', () => {
    const slab = new UnreadSlab();
    expect(slab.append(Buffer.alloc(4096, 'a'))).toBe(true);
    expect(slab.append(Buffer.from('b'))).toBe(false);
    expect(slab.length).toBe(4096);
    expect(slab.take()).toEqual(Buffer.alloc(4096, 'a'));
    expect(slab.append(Buffer.from('b'))).toBe(true);
  });

  test('refuses what is larger than itself', () => {
    expect(new UnreadSlab().append(Buffer.alloc(4097))).toBe(false);
  });

  test('keeps nothing of the memory that the slice lived in, and no more than twice what it holds', () => {
    for (const bytes of [1, 500, 2047, 2048, 3000, 4096]) {
      const slab = new UnreadSlab();
      const slice = sliceOf(bytes, 65_536);
      slab.append(slice);
      const kept = slab.take() as Buffer;
      expect(kept.buffer).not.toBe(slice.buffer);
      expect(kept.buffer.byteLength).toBeLessThanOrEqual(2 * bytes);
    }
  });

  test('never writes into what it has given back', () => {
    const slab = new UnreadSlab();
    slab.append(Buffer.alloc(3000, 'a'));
    const first = slab.take() as Buffer;
    slab.append(Buffer.alloc(3000, 'b'));
    slab.take();
    expect(first).toEqual(Buffer.alloc(3000, 'a'));
  });

  test('equals a buffer of 4096 bytes that is filled and emptied, for any sequence', () => {
    const append = fc.oneof(fc.nat(40), fc.nat(5000));
    fc.assert(
      fc.property(fc.array(fc.option(append), { maxLength: 40 }), (steps) => {
        const slab = new UnreadSlab();
        let naive = Buffer.alloc(0);
        let byte = 0;
        for (const length of steps) {
          if (length === null) {
            expect(slab.take()).toEqual(naive.length === 0 ? undefined : naive);
            naive = Buffer.alloc(0);
          } else {
            byte = (byte + 1) % 256;
            const slice = Buffer.alloc(length, byte);
            const fits = naive.length + length <= 4096;
            expect(slab.append(slice)).toBe(fits);
            if (fits) naive = Buffer.concat([naive, slice]);
          }
          expect(slab.length).toBe(naive.length);
        }
      }),
    );
  });
});

test('a copy has the same bytes in memory of its own size', () => {
  const slice = Buffer.from('hello');
  const copy = copyOf(slice);
  expect(copy).toEqual(slice);
  expect(copy.buffer.byteLength).toBe(5);
});
