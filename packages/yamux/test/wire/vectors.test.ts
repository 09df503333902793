// Golden vectors: bytes that hashicorp/yamux sent (test/wire-vectors), read by our decoder and written by our encoder.
import { describe, expect, test } from 'vitest';
import { FrameType, HEADER_SIZE } from '../../src/wire/constants.ts';
import { Decoder, type FrameSink } from '../../src/wire/decoder.ts';
import { describeFrame, describeHeader } from '../../src/wire/describe.ts';
import { encodeHeader } from '../../src/wire/header.ts';
import { readVectors } from '../wire-vectors/vectors.ts';

/** Writes the frames down as text, and puts them together again as bytes. */
class Reader implements FrameSink {
  readonly frames: string[] = [];
  readonly written: Buffer[] = [];

  onHeader(type: FrameType, flags: number, streamId: number, length: number): void {
    this.frames.push(describeHeader(type, flags, streamId, length));
    const header = Buffer.alloc(HEADER_SIZE);
    encodeHeader(header, 0, type, flags, streamId, length);
    this.written.push(header);
  }

  onPayload(slice: Buffer): void {
    this.written.push(slice);
  }
}

function read(chunks: readonly Buffer[]): Reader {
  const reader = new Reader();
  const decoder = new Decoder(reader);
  for (const chunk of chunks) decoder.push(chunk);
  expect(decoder.insideFrame).toBe(false);
  return reader;
}

const vectors = await readVectors();

test('there are vectors of both sides, and all four types of frame are among them', () => {
  const types = vectors.flatMap(({ frames }) => frames.map((frame) => frame.split(' ')[0]));
  expect(new Set(types)).toEqual(new Set(['DATA', 'WINDOW_UPDATE', 'PING', 'GO_AWAY']));
  expect(new Set(vectors.map(({ name }) => name.split('.')[1]))).toEqual(new Set(['client', 'server']));
});

describe.each(vectors)('$name', ({ hex, frames }) => {
  const bytes = Buffer.from(hex, 'hex');

  test('reads as these frames, and is written again as these bytes', () => {
    const { frames: seen, written } = read([bytes]);
    expect(seen).toEqual(frames);
    expect(Buffer.concat(written).toString('hex')).toBe(hex);
  });

  test('reads the same byte by byte, and cut in two at every point', () => {
    expect(read([...bytes].map((byte) => Buffer.from([byte]))).frames).toEqual(frames);
    for (let at = 1; at < bytes.length; at += 1) {
      const { frames: seen, written } = read([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(seen).toEqual(frames);
      expect(Buffer.concat(written)).toEqual(bytes);
    }
  });

  test('is described frame by frame', () => {
    const seen: string[] = [];
    for (let rest = bytes; rest.length > 0; ) {
      seen.push(describeFrame(rest));
      const payload = rest[1] === FrameType.Data ? rest.readUInt32BE(8) : 0;
      rest = rest.subarray(HEADER_SIZE + payload);
    }
    expect(seen).toEqual(frames);
  });
});
