import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyDigest, bodyStream, chunks, digestOf } from '../../src/demo/body.ts';

const CHUNK = 64 * 1024;

describe('a body of the demo', () => {
  it('has the size that was asked for and the digest that its seed gives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.nat(3 * CHUNK), async (seed, size) => {
        expect(await digestOf(bodyStream(seed, size))).toEqual({ bytes: size, sha256: bodyDigest(seed, size) });
      }),
      { numRuns: 30 },
    );
  });

  it('is another one for another seed', () => {
    expect(bodyDigest(1, CHUNK)).not.toBe(bodyDigest(2, CHUNK));
  });

  it('shows by its digest when two of its chunks have changed places', async () => {
    const [first, second, ...rest] = [...chunks(7, 4 * CHUNK)];
    const swapped = await digestOf(Readable.from([second, first, ...rest]));
    expect(swapped.bytes).toBe(4 * CHUNK);
    expect(swapped.sha256).not.toBe(bodyDigest(7, 4 * CHUNK));
  });

  it('that ends before its end is an error, never a digest', async () => {
    const body = bodyStream(1, 10 * CHUNK);
    body.once('data', () => body.destroy());
    await expect(digestOf(body)).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });
});
