// Writes the body of a message into a Writable. Small chunks are joined while an earlier one waits: a tiny chunk has few bytes, but as a waiting object
// it takes some hundred bytes.
import type { Writable } from 'node:stream';
import { BlockKind, PREFIX, writePrefix } from './block.ts';

/** The framing of a body of unknown length: blocks, or chunks of HTTP/1.1. A body of known length needs none. */
export type Framing = 'none' | 'blocks' | 'chunks';

const LINE_END = Buffer.from('\r\n');

/** Chunks of at least this many bytes are written without joining. */
const LARGE = 2_048;
const SLAB = 8_192;

export class BodyWriter {
  readonly #target: Writable;
  readonly #framing: Framing;
  /** Whether a small write has not been taken yet. */
  #isWaiting = false;
  #isBlocked = false;
  #slab: Buffer | undefined;
  #used = 0;

  constructor(target: Writable, framing: Framing) {
    this.#target = target;
    this.#framing = framing;
  }

  /** False: no more until the target's 'drain', and drained(). */
  write(chunk: Buffer): boolean {
    if (chunk.length === 0) return !this.#isBlocked; // an empty chunk would be the last chunk
    if (chunk.length >= LARGE) {
      this.flush();
      return this.#put(chunk);
    }
    if (!this.#isWaiting && this.#used === 0) {
      this.#isWaiting = true;
      return this.#put(chunk, this.#onTaken);
    }
    if (this.#used + chunk.length > SLAB) this.flush();
    this.#slab ??= Buffer.allocUnsafe(SLAB);
    this.#used += chunk.copy(this.#slab, this.#used);
    return !this.#isBlocked;
  }

  /** Writes what was joined so far. */
  flush(): void {
    if (this.#slab === undefined) return;
    const bytes = this.#slab.subarray(0, this.#used);
    this.#slab = undefined;
    this.#used = 0;
    this.#put(bytes);
  }

  drained(): void {
    this.#isBlocked = false;
  }

  readonly #onTaken = (): void => {
    this.#isWaiting = false;
    if (this.#slab === undefined || this.#target.destroyed || this.#target.writableEnded) return;
    const bytes = this.#slab.subarray(0, this.#used);
    this.#slab = undefined;
    this.#used = 0;
    this.#isWaiting = true;
    this.#put(bytes, this.#onTaken);
  };

  #put(bytes: Buffer, taken?: () => void): boolean {
    const target = this.#target;
    let goesOn: boolean;
    if (this.#framing === 'none') goesOn = target.write(bytes, taken);
    else {
      const isInChunks = this.#framing === 'chunks';
      const prefix = isInChunks ? Buffer.from(`${bytes.length.toString(16)}\r\n`, 'latin1') : prefixOf(bytes);
      if (bytes.length < LARGE) {
        goesOn = target.write(Buffer.concat(isInChunks ? [prefix, bytes, LINE_END] : [prefix, bytes]), taken);
      } else {
        target.cork(); // so that all fit into one frame if possible
        target.write(prefix);
        goesOn = target.write(bytes, taken);
        if (isInChunks) goesOn = target.write(LINE_END);
        target.uncork();
      }
    }
    if (!goesOn) this.#isBlocked = true;
    return goesOn;
  }
}

function prefixOf(bytes: Buffer): Buffer {
  const prefix = Buffer.allocUnsafe(PREFIX);
  writePrefix(prefix, BlockKind.Piece, bytes.length);
  return prefix;
}
