// What a Readable holds, in pieces: bytes, or text once it has an encoding.
import { Bytes } from './bytes.ts';

export type Chunk = Bytes | string;

export class Chunks {
  #chunks: Chunk[] = [];
  /** Bytes, or characters. */
  length = 0;

  get firstLength(): number {
    return this.#chunks[0]?.length ?? 0;
  }

  push(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  unshift(chunk: Chunk): void {
    this.#chunks.unshift(chunk);
    this.length += chunk.length;
  }

  /** The first so many, which must be there, as one piece: a view where it was one. */
  take(length: number): Chunk {
    const parts: Chunk[] = [];
    for (let left = length; left > 0; ) {
      const chunk = this.#chunks.shift() as Chunk;
      const part = partOf(chunk, 0, left);
      if (part.length < chunk.length) this.#chunks.unshift(partOf(chunk, left));
      parts.push(part);
      left -= part.length;
    }
    this.length -= length;
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    return typeof only === 'string' ? parts.join('') : joined(parts as Bytes[], length);
  }
}

function partOf(chunk: Chunk, start: number, end?: number): Chunk {
  return typeof chunk === 'string' ? chunk.slice(start, end) : chunk.subarray(start, end);
}

function joined(parts: readonly Bytes[], length: number): Bytes {
  const whole = new Bytes(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
