import { ProtocolError } from '@zishuo/yamux';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeFrameAfter, closeReason, DRAINING, describeClose, isCleanEnd } from '../src/close-codes.ts';

describe('a received close code', () => {
  it.each([1000, 1001, 1005, 1012])('%i ends the stream cleanly', (code) => {
    expect(isCleanEnd(code, undefined)).toBe(true);
  });

  it.each([1002, 1003, 1006, 1007, 1008, 1009, 1010, 1011, 1013, 1014, 3000, 4401, 4403, 4409, 4999])(
    '%i is an error',
    (code) => {
      expect(isCleanEnd(code, undefined)).toBe(false);
    },
  );

  it('is clean if it is the echo of the code that we sent', () => {
    expect(isCleanEnd(1002, { code: 1002, reason: '' })).toBe(true);
    expect(isCleanEnd(1011, { code: 1002, reason: '' })).toBe(false);
  });

  it('is described by its number, its meaning and its reason', () => {
    expect(describeClose(1011, 'disk full')).toBe('1011 (internal error): disk full');
    expect(describeClose(4999, '')).toBe('4999');
  });
});

describe('the close frame of a session', () => {
  it('is 1000 after a clean end, unless another one is given', () => {
    expect(closeFrameAfter(null)).toEqual({ code: 1000, reason: '' });
    expect(closeFrameAfter(undefined, DRAINING)).toEqual({ code: 1001, reason: 'draining' });
  });

  it('is 1002 with the message of the error after a violation by the peer, draining or not', () => {
    expect(closeFrameAfter(new ProtocolError('bad version 7'), DRAINING)).toEqual({
      code: 1002,
      reason: 'bad version 7',
    });
  });
});

describe('a close reason', () => {
  it('fits in a close frame, is a prefix of the text, and never ends inside a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 60, maxLength: 200 }), (text) => {
        const reason = closeReason(text);
        const next = String.fromCodePoint(text.codePointAt(reason.length) ?? 0);
        expect(text.startsWith(reason)).toBe(true);
        expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
        if (reason !== text) expect(Buffer.byteLength(reason + next)).toBeGreaterThan(123);
      }),
    );
  });
});
