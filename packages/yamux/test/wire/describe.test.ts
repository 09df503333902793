import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeFrame, describeHeader } from '../../src/wire/describe.ts';
import { ACK, data, FIN, frame, goAway, ping, RST, rst, SYN, syn } from '../support/frames.ts';

test.each([
  [syn(1), 'WINDOW_UPDATE SYN id=1 len=0'],
  [rst(7, 9), 'WINDOW_UPDATE RST id=7 len=9'],
  [data(3, 'hello', SYN | FIN), 'DATA SYN|FIN id=3 len=5'],
  [data(3), 'DATA id=3 len=0'],
  [ping(4_294_967_295), 'PING SYN id=0 len=4294967295'],
  [goAway(1), 'GO_AWAY id=0 len=1'],
  [frame(1, SYN | ACK | FIN | RST, 2, 0), 'WINDOW_UPDATE SYN|ACK|FIN|RST id=2 len=0'],
  [frame(1, 0x8010 | ACK, 2, 0), 'WINDOW_UPDATE ACK|0x8010 id=2 len=0'],
  [frame(9, 0, 1, 2), 'TYPE_9 id=1 len=2'],
])('a frame reads as one line: %#, $1', (bytes, text) => {
  expect(describeFrame(bytes)).toBe(text);
});

test('fewer bytes than a header are told by their number', () => {
  expect(describeFrame(syn(1).subarray(0, 11))).toBe('(a header needs 12 bytes, got 11)');
  expect(describeFrame(new Uint8Array(0))).toBe('(a header needs 12 bytes, got 0)');
});

test('another version is named beside the expected one', () => {
  const bytes = syn(1);
  bytes[0] = 2;
  expect(describeFrame(bytes)).toBe('WINDOW_UPDATE SYN id=1 len=0 (version 2, expected 0)');
});

test('a Data frame without all of its payload says how much is missing; bytes behind the frame change nothing', () => {
  const whole = data(3, 'hello');
  expect(describeFrame(whole.subarray(0, 14))).toBe('DATA id=3 len=5 (3 bytes of payload missing)');
  expect(describeFrame(Buffer.concat([whole, syn(1)]))).toBe('DATA id=3 len=5');
  expect(describeFrame(frame(1, 0, 3, 500))).toBe('WINDOW_UPDATE id=3 len=500');
});

test('any bytes give one line of text, and what stands in the header can be found in it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(describeFrame(bytes)).toMatch(/^\S.*\S$/);
    }),
  );
  fc.assert(
    fc.property(fc.nat(0xff), fc.nat(0xffff), fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (type, flags, id, length) => {
      const text = describeHeader(type, flags, id, length);
      expect(text).toContain(` id=${id} len=${length}`);
      for (const [name, bit] of Object.entries({ SYN, ACK, FIN, RST })) {
        expect(text.split(/[ |]/).includes(name)).toBe((flags & bit) !== 0);
      }
    }),
  );
});
