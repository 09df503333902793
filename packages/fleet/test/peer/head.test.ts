import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Answer,
  decodeAnswer,
  decodeHead,
  encodeAnswer,
  encodeHead,
  type Head,
  MAX_HEAD,
} from '../../src/peer/head.ts';

const HEAD: Head = {
  name: 'app.example',
  routing: { affinityKey: 'é' },
  requestId: 'r',
  remainingMs: 7,
  acknowledged: true,
};
const ANSWERS: readonly Answer[] = [
  { status: 'accepted', session: { key: 'k', id: 'i', label: undefined, facts: { blocks: '1' } } },
  { status: 'not-here', refusal: { code: 'C', message: 'm', counts: undefined } },
  { status: 'refused', refusal: { code: 'C', message: 'm', counts: { full: 2 } } },
];
const PROTOCOL = expect.objectContaining({ code: 'ERR_YAMUX_FLEET_PEER_PROTOCOL' });

describe('a head', () => {
  it('is what it was, at every split, with the bytes that follow left alone', () => {
    const bytes = Buffer.concat([encodeHead(HEAD), Buffer.from('data')]);
    for (let end = 0; end < bytes.length - 4; end += 1) expect(decodeHead(bytes.subarray(0, end))).toBeUndefined();
    expect(decodeHead(bytes)).toEqual({ value: HEAD, length: bytes.length - 4 });
  });

  it('is refused by its length before its bytes have come', () => {
    expect(() => decodeHead(Buffer.of(1, 0xff, 0xff))).toThrow(`at most ${MAX_HEAD} bytes, got 65535`);
    expect(() => encodeHead({ ...HEAD, name: 'x'.repeat(MAX_HEAD) })).toThrow(RangeError);
  });

  it.each([
    ['another version', Buffer.of(2, 0, 0)],
    ['no JSON', Buffer.of(1, 0, 1, 0x7b)],
    ['JSON that is no object', Buffer.concat([Buffer.of(1, 0, 2), Buffer.from('[]')])],
    ['nothing in it', Buffer.concat([Buffer.of(1, 0, 2), Buffer.from('{}')])],
  ])('is refused with %s', (_, bytes) => {
    expect(() => decodeHead(bytes)).toThrow(PROTOCOL);
  });

  it('is refused with a field of another kind', () => {
    for (const wrong of [
      { name: '' },
      { routing: [] },
      { remainingMs: -1 },
      { remainingMs: '1' },
      { acknowledged: 1 },
    ]) {
      expect(() => decodeHead(encodeHead({ ...HEAD, ...wrong } as unknown as Head))).toThrow(PROTOCOL);
    }
  });

  it('is never anything but whole, incomplete or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        for (const decode of [decodeHead, decodeAnswer]) {
          try {
            decode(Buffer.from(bytes));
          } catch (error) {
            expect(error).toEqual(PROTOCOL);
          }
        }
      }),
    );
  });
});

describe('an answer', () => {
  it.each(ANSWERS)('$status is what it was, at every split', (answer) => {
    const bytes = Buffer.concat([encodeAnswer(answer), Buffer.from('data')]);
    for (let end = 0; end < bytes.length - 4; end += 1) expect(decodeAnswer(bytes.subarray(0, end))).toBeUndefined();
    expect(decodeAnswer(bytes)).toEqual({ value: answer, length: bytes.length - 4 });
  });

  it('is refused with a status that there is not', () => {
    expect(() => decodeAnswer(Buffer.of(9))).toThrow(PROTOCOL);
  });
});
