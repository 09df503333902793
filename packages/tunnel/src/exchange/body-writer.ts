// The body of a message on its way into a Writable. Small chunks are joined while the one before them has not been taken: counted in bytes a
// crumb is nothing, as an object that waits it is some hundred bytes.
import type { Writable } from 'node:stream';
import { BlockKind, PREFIX, writePrefix } from './block.ts';

/** Chunks from this size on are written as they are. */
const LARGE = 2_048;
const SLAB = 8_192;

export class BodyWriter {
  readonly #target: Writable;
  readonly #inPieces: boolean;
  /** A small write has not been taken yet. */
  #isWaiting = false;
  #isBlocked = false;
  #slab: Buffer | undefined;
  #used = 0;

  /** `inPieces`: with the prefix of a block before each. */
  constructor(target: Writable, inPieces: boolean) {
    this.#target = target;
    this.#inPieces = inPieces;
  }

  /** False: no more until the target's 'drain', and drained(). */
  write(chunk: Buffer): boolean {
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
    if (!this.#inPieces) goesOn = target.write(bytes, taken);
    else if (bytes.length < LARGE || bytes.length <= SLAB / 4) {
      const block = Buffer.allocUnsafe(PREFIX + bytes.length);
      writePrefix(block, BlockKind.Piece, bytes.length);
      bytes.copy(block, PREFIX);
      goesOn = target.write(block, taken);
    } else {
      const prefix = Buffer.allocUnsafe(PREFIX);
      writePrefix(prefix, BlockKind.Piece, bytes.length);
      target.cork(); // one frame for both, where they fit
      target.write(prefix);
      goesOn = target.write(bytes, taken);
      target.uncork();
    }
    if (!goesOn) this.#isBlocked = true;
    return goesOn;
  }
}
