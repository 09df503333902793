import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/errors.ts';
import { Decoder, type FrameSink } from '../../src/wire/decoder.ts';
import { data, FIN, frame, ping, SYN, syn } from '../support/frames.ts';

/** Writes down every call, and counts the bytes that came out. */
class Recorder implements FrameSink {
  readonly calls: string[] = [];
  readonly slices: Buffer[] = [];
  bytesOut = 0;
  /** Called within every call. */
  onCall: (() => void) | undefined;

  onHeader(type: number, flags: number, streamId: number, length: number): void {
    this.calls.push(`${type} ${flags} ${streamId} ${length}`);
    this.bytesOut += 12;
    this.onCall?.();
  }

  onPayload(slice: Buffer, left: number): void {
    this.calls.push(`${slice.toString('hex')} then ${left}`);
    this.slices.push(slice);
    this.bytesOut += slice.length;
    this.onCall?.();
  }

  /** The frames, with each payload joined: what must not depend on the chunking. */
  get frames(): string[] {
    const frames: string[] = [];
    for (const call of this.calls) {
      const [hex, left] = call.split(' then ');
      if (left === undefined) frames.push(`${call}: `);
      else frames.push(frames.pop() + (hex as string));
    }
    return frames;
  }
}

function decoding(): { decoder: Decoder; sink: Recorder } {
  const sink = new Recorder();
  return { decoder: new Decoder(sink), sink };
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((at) => at % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const at of [...places, bytes.length]) {
    chunks.push(bytes.subarray(from, at));
    from = at;
  }
  return chunks;
}

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const payload = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const anyFrame = fc.oneof(
  fc.tuple(fc.nat(0xffff), uint32, payload).map(([flags, id, bytes]) => data(id, bytes, flags)),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.nat(0xffff), uint32, uint32)
    .map(([type, flags, id, length]) => frame(type, flags, id, length)),
);
const anyFrames = fc.array(anyFrame, { maxLength: 12 });
const anyCuts = fc.array(fc.nat(2000), { maxLength: 30 });

/** Bytes that often look like frames, so that more than the version check is reached. */
const anyBytes = fc
  .array(
    fc.oneof(
      anyFrame,
      payload,
      fc.constant(Buffer.alloc(12)),
      anyFrame.map((bytes) => bytes.subarray(0, 7)),
    ),
    {
      maxLength: 10,
    },
  )
  .map((parts) => Buffer.concat(parts));

describe('chunks', () => {
  test('cut anywhere give the same frames', () => {
    fc.assert(
      fc.property(anyFrames, anyCuts, (frames, cuts) => {
        const bytes = Buffer.concat(frames);
        const { decoder, sink } = decoding();
        for (const chunk of cut(bytes, cuts)) decoder.push(chunk);
        const expected = frames.map((one) => {
          const header = `${one[1]} ${one.readUInt16BE(2)} ${one.readUInt32BE(4)} ${one.readUInt32BE(8)}`;
          return `${header}: ${one.subarray(12).toString('hex')}`;
        });
        expect(sink.frames).toEqual(expected);
        expect(decoder.insideFrame).toBe(false);
      }),
    );
  });

  test('come out at once but for at most eleven bytes of an unfinished header', () => {
    fc.assert(
      fc.property(anyFrames, anyCuts, (frames, cuts) => {
        const { decoder, sink } = decoding();
        let bytesIn = 0;
        for (const chunk of cut(Buffer.concat(frames), cuts)) {
          decoder.push(chunk);
          bytesIn += chunk.length;
          expect(bytesIn - sink.bytesOut).toBeGreaterThanOrEqual(0);
          expect(bytesIn - sink.bytesOut).toBeLessThanOrEqual(11);
        }
      }),
    );
  });

  test('may be single bytes', () => {
    const { decoder, sink } = decoding();
    for (const byte of Buffer.concat([data(1, 'ab', SYN), ping(5)])) decoder.push(Buffer.from([byte]));
    expect(sink.calls).toEqual(['0 1 1 2', '61 then 1', '62 then 0', '2 1 0 5']);
  });

  test('without a byte are nothing', () => {
    const { decoder, sink } = decoding();
    decoder.push(Buffer.alloc(0));
    expect(sink.calls).toEqual([]);
    expect(decoder.insideFrame).toBe(false);
  });
});

describe('payload', () => {
  test('is given as views into the chunk, never copied', () => {
    const { decoder, sink } = decoding();
    const bytes = Buffer.concat([data(1, 'hello'), data(3, 'world')]);
    const first = bytes.subarray(0, 14);
    const second = bytes.subarray(14);
    decoder.push(first);
    decoder.push(second);
    expect(sink.slices.map(String)).toEqual(['he', 'llo', 'world']);
    expect(sink.slices.every((slice) => slice.buffer === bytes.buffer)).toBe(true);
    expect(sink.slices.map((slice) => slice.byteOffset - bytes.byteOffset)).toEqual([12, 14, 29]);
  });

  test('that fills a whole chunk is that chunk itself', () => {
    const { decoder, sink } = decoding();
    decoder.push(data(1, 'hello').subarray(0, 12));
    const chunk = Buffer.from('hello');
    decoder.push(chunk);
    expect(sink.slices[0]).toBe(chunk);
  });

  test('of the largest length that a header can name is passed on as it comes, and nothing is set aside for it', () => {
    const { decoder, sink } = decoding();
    decoder.push(frame(0, 0, 1, 0xffff_ffff));
    decoder.push(Buffer.from('abc'));
    expect(sink.calls).toEqual(['0 0 1 4294967295', '616263 then 4294967292']);
  });

  test('follows Data alone: the length of any other frame is no payload', () => {
    const { decoder, sink } = decoding();
    decoder.push(Buffer.concat([frame(1, 0, 1, 100), frame(3, 0, 0, 100), ping(100), data(1, '', FIN)]));
    expect(sink.calls).toEqual(['1 0 1 100', '3 0 0 100', '2 1 0 100', '0 4 1 0']);
    expect(decoder.insideFrame).toBe(false);
  });
});

test('inside a frame is from the first byte of a header to the last byte of its payload', () => {
  const { decoder } = decoding();
  const inside = [...data(1, 'abc')].map((byte) => {
    decoder.push(Buffer.from([byte]));
    return decoder.insideFrame;
  });
  expect(inside).toEqual([...Array<boolean>(14).fill(true), false]);
});

describe('what breaks the format', () => {
  test.each([
    [
      'another version',
      Buffer.from('010000000000000100000000', 'hex'),
      'version 0 in a frame header, got 1: what the transport carries is not Yamux',
    ],
    [
      'an unknown type',
      Buffer.from('000400000000000100000000', 'hex'),
      'type from 0 to 3, got 4: what the transport carries is not Yamux',
    ],
  ])('%s throws ProtocolError, whole or in pieces, after the frames before it', (_name, bad, message) => {
    for (const size of [1, 5, 12, 64]) {
      const { decoder, sink } = decoding();
      const bytes = Buffer.concat([syn(1), bad, syn(3)]);
      const pushAll = (): void => {
        for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
      };
      expect(pushAll).toThrow(ProtocolError);
      expect(sink.calls).toEqual(['1 1 1 0']);
      const again = decoding().decoder;
      expect(() => again.push(bytes)).toThrow(message);
    }
  });

  test('is thrown once: whatever is pushed afterwards is ignored', () => {
    const { decoder, sink } = decoding();
    expect(() => decoder.push(frame(4, 0, 0, 0))).toThrow(ProtocolError);
    decoder.push(Buffer.concat([syn(1), frame(4, 0, 0, 0)]));
    expect(sink.calls).toEqual([]);
  });

  test('any bytes in any chunks come to an end, and throw nothing but ProtocolError', () => {
    fc.assert(
      fc.property(anyBytes, anyCuts, (bytes, cuts) => {
        const { decoder, sink } = decoding();
        const codes: unknown[] = [];
        for (const chunk of cut(bytes, cuts)) {
          try {
            decoder.push(chunk);
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error;
            codes.push(error.code);
          }
        }
        expect(codes.length).toBeLessThanOrEqual(1);
        expect(codes.every((code) => code === 'ERR_YAMUX_PROTOCOL')).toBe(true);
        if (codes.length === 0) expect(bytes.length - sink.bytesOut).toBeLessThanOrEqual(11);
      }),
    );
  });
});

describe('stop()', () => {
  test('called in any callback: nothing more comes out, of this chunk or of later ones', () => {
    fc.assert(
      fc.property(anyBytes, anyCuts, fc.integer({ min: 1, max: 20 }), (bytes, cuts, nth) => {
        const { decoder, sink } = decoding();
        sink.onCall = () => {
          if (sink.calls.length === nth) decoder.stop();
        };
        let hasThrown = false;
        for (const chunk of cut(bytes, cuts)) {
          try {
            decoder.push(chunk);
          } catch {
            hasThrown = true;
          }
        }
        expect(sink.calls.length).toBeLessThanOrEqual(nth);
        // What would have thrown later is not looked at any more.
        if (sink.calls.length === nth) expect(hasThrown).toBe(false);
      }),
    );
  });

  test('between two chunks ends it inside a payload', () => {
    const { decoder, sink } = decoding();
    decoder.push(data(1, 'hello').subarray(0, 14));
    decoder.stop();
    decoder.push(Buffer.from('llo'));
    expect(sink.calls).toEqual(['0 0 1 5', '6865 then 3']);
  });
});

test('an error that a callback throws comes out of push(), and the next push goes on behind that call', () => {
  for (const pieces of [[12], [5, 7]]) {
    const { decoder, sink } = decoding();
    sink.onCall = () => {
      sink.onCall = undefined;
      throw new Error('from the sink');
    };
    const header = data(1, 'hello').subarray(0, 12);
    const pushAll = (): void => {
      let at = 0;
      for (const piece of pieces) {
        decoder.push(header.subarray(at, at + piece));
        at += piece;
      }
    };
    expect(pushAll).toThrow('from the sink');
    decoder.push(Buffer.concat([Buffer.from('hello'), syn(3)]));
    expect(sink.calls).toEqual(['0 0 1 5', '68656c6c6f then 0', '1 1 3 0']);
  }
});

test('inside a frame is known within the callbacks too', () => {
  const { decoder, sink } = decoding();
  const inside: boolean[] = [];
  sink.onCall = () => inside.push(decoder.insideFrame);
  for (const byte of Buffer.concat([syn(1), data(1, 'ab')])) decoder.push(Buffer.from([byte]));
  expect(inside).toEqual([false, true, true, false]);
});
