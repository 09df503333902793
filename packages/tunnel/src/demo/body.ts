// Generated bodies: every byte follows from (seed, size), so both sides can generate and check the same 64 MiB without holding them.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const CHUNK = 64 * 1024;
const NOISE = noise(1024 * 1024);

/** The bytes, in chunks. Each chunk starts at another position of the noise, so a swapped, lost or doubled chunk changes the hash. */
export function* chunks(seed: number, size: number): Generator<Buffer> {
  let state = seed + 1;
  for (let left = size; left > 0; left -= CHUNK) {
    state = step(state);
    const start = (state >>> 0) % (NOISE.length - CHUNK);
    yield NOISE.subarray(start, start + Math.min(CHUNK, left));
  }
}

export function bodyStream(seed: number, size: number): Readable {
  return Readable.from(chunks(seed, size), { objectMode: false, highWaterMark: CHUNK });
}

export function bodyDigest(seed: number, size: number): string {
  const hash = createHash('sha256');
  for (const chunk of chunks(seed, size)) hash.update(chunk);
  return hash.digest('hex');
}

export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

/** Reads a body to its end; rejects if it ends early. */
export async function digestOf(body: Readable): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(body, async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  });
  return { bytes, sha256: hash.digest('hex') };
}

function noise(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = 0x9e3779b9;
  for (let at = 0; at < size; at += 4) {
    state = step(state);
    bytes.writeInt32LE(state, at);
  }
  return bytes;
}

/** xorshift32 (Marsaglia): good enough to be noise, the same everywhere; never 0 if it was not. */
export function step(state: number): number {
  let next = state;
  next ^= next << 13;
  next ^= next >>> 17;
  next ^= next << 5;
  return next;
}
