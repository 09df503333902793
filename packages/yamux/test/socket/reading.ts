// What one way of reading gave, however it was cut into chunks.

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { patternAt } from './pattern.ts';
import type { Encoding, Size } from './program.ts';

/** Bytes that ends of both kinds have in Node's own buffer if as much has come. */
export const LEAST_HIGH_WATER_MARK = 16_384;

/** Their characters have more than one byte: the rest of one is given at the end. */
export const LEAVES_A_REST: ReadonlySet<Encoding> = new Set<Encoding>(['utf8', 'base64']);

export type Chunk = Buffer | Uint8Array | string;

export class Reading {
  readonly #digest = createHash('sha1');
  readonly #blocks: Array<{ readonly size: number; times: number }> = [];
  #position = 0;
  units = 0;
  /** It sees all that the peer wrote, from the first byte on, as it was written. */
  isRaw: boolean = true;
  isCorrupt = false;

  add(chunk: Chunk, bytes: number): void {
    this.units += chunk.length;
    if (typeof chunk === 'string') {
      this.isRaw = false;
      this.#digest.update(chunk, 'utf16le');
    } else {
      if (this.isRaw && Buffer.compare(chunk, patternAt(this.#position, bytes)) !== 0) this.isCorrupt = true;
      this.#digest.update(chunk);
    }
    this.#position += bytes;
  }

  get content(): string {
    return this.#digest.copy().digest('hex').slice(0, 8);
  }

  /** What a read(n) gave: how often in a row which size. */
  noteBlock(size: number): void {
    const last = this.#blocks.at(-1);
    if (last?.size === size) last.times += 1;
    else this.#blocks.push({ size, times: 1 });
  }

  get blocks(): string {
    return this.#blocks.map(({ size, times }) => `${times}x${size}`).join(' ');
  }
}

export function readFrom(readable: Readable, size: Size): Chunk | null {
  if (size === 'nothing') return readable.read() as Chunk | null;
  const given = size === 'null' ? null : size === 'NaN' ? Number.NaN : size;
  return readable.read(given as number) as Chunk | null;
}
