import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeHeader, readUint16, readUint32 } from '../../src/wire/header.ts';
import { frame } from '../support/frames.ts';

const uint8 = fc.nat(0xff);
const uint16 = fc.nat(0xffff);
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });

describe('a header', () => {
  test('reads back as it was written, at any place, and touches no byte around it', () => {
    fc.assert(
      fc.property(uint8, uint16, uint32, uint32, fc.nat(40), (type, flags, id, length, at) => {
        const bytes = Buffer.alloc(at + 12 + 7, 0xa5);
        encodeHeader(bytes, at, type, flags, id, length);
        expect(bytes[at]).toBe(0);
        expect(bytes[at + 1]).toBe(type);
        expect(readUint16(bytes, at + 2)).toBe(flags);
        expect(readUint32(bytes, at + 4)).toBe(id);
        expect(readUint32(bytes, at + 8)).toBe(length);
        expect(bytes.subarray(0, at).every((byte) => byte === 0xa5)).toBe(true);
        expect(bytes.subarray(at + 12).every((byte) => byte === 0xa5)).toBe(true);
      }),
    );
  });

  test("is the same bytes as Node's own big-endian writers make", () => {
    fc.assert(
      fc.property(uint8, uint16, uint32, uint32, (type, flags, id, length) => {
        const bytes = Buffer.alloc(12);
        encodeHeader(bytes, 0, type, flags, id, length);
        expect(bytes).toEqual(frame(type, flags, id, length));
      }),
    );
  });

  test("is read as Node's own big-endian readers read it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (four) => {
        const bytes = Buffer.from(four);
        expect(readUint16(bytes, 0)).toBe(bytes.readUInt16BE(0));
        expect(readUint32(bytes, 0)).toBe(bytes.readUInt32BE(0));
      }),
    );
  });

  test('keeps the largest id and length apart from negative numbers', () => {
    const bytes = new Uint8Array(12);
    encodeHeader(bytes, 0, 1, 0xffff, 0xffff_ffff, 0x8000_0000);
    expect(readUint32(bytes, 4)).toBe(4_294_967_295);
    expect(readUint32(bytes, 8)).toBe(2_147_483_648);
  });
});
