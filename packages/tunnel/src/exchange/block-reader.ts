// Turns the bytes of a stream, in chunks of any size, into blocks and bodies. Holds at most one block. Small pieces of a body in one chunk are passed on
// as one, so that a peer cannot create many objects with few bytes.
import { BlockKind, PREFIX, protocolError } from './block.ts';

export interface BlockListener {
  /** A whole block, other than a piece of a body. Throws for one that may not come now. */
  onBlock(kind: number, text: string): void;
  /** Bytes of a body, or of joined connections. */
  onBytes(bytes: Buffer): void;
  /** The last of the bytes that were expected raw. */
  onRawEnd(): void;
}

/** Pieces of at least this many bytes are passed on without joining. */
const LARGE_PIECE = 4_096;

export class BlockReader {
  readonly #listener: BlockListener;
  readonly #maxBlock: number;
  #prefix = 0;
  #kind = 0;
  #left = 0;
  /** What has come of a block. */
  #parts: Buffer[] = [];
  #raw = 0;
  #gathered: Buffer | undefined;
  #gatheredBytes = 0;
  #isStopped = false;
  #prefixBytes = 0;

  /** `maxBlock`: bytes of text that are taken in one block. */
  constructor(listener: BlockListener, maxBlock: number) {
    this.#listener = listener;
    this.#maxBlock = maxBlock;
  }

  /** The next bytes are no blocks: so many of a body, or all that come (Infinity). */
  expectRaw(bytes: number): void {
    this.#raw = bytes;
  }

  /** Stops the reader; the rest of the current chunk is dropped too. */
  stop(): void {
    this.#isStopped = true;
    this.#parts = [];
  }

  /** @throws TunnelError with ERR_TUNNEL_PROTOCOL, and what the listener throws. */
  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#isStopped) {
      if (this.#raw > 0) at = this.#readRaw(chunk, at);
      else if (this.#prefixBytes < PREFIX) at = this.#readPrefix(chunk, at);
      else at = this.#kind === BlockKind.Piece ? this.#readPiece(chunk, at) : this.#readText(chunk, at);
    }
    this.#handOn();
  }

  #readRaw(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#raw);
    this.#raw -= end - at;
    this.#listener.onBytes(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
    if (this.#raw === 0) this.#listener.onRawEnd();
    return end;
  }

  #readPrefix(chunk: Buffer, at: number): number {
    const byte = chunk[at] as number;
    if (this.#prefixBytes === 0) this.#kind = byte;
    else this.#prefix = this.#prefix * 256 + byte;
    this.#prefixBytes += 1;
    if (this.#prefixBytes < PREFIX) return at + 1;
    this.#left = this.#prefix;
    this.#prefix = 0;
    if (this.#kind !== BlockKind.Piece) {
      if (this.#left > this.#maxBlock) {
        throw protocolError(`expected a block of at most ${this.#maxBlock} bytes, got ${this.#left}`);
      }
      if (this.#left === 0) this.#blockIsWhole('');
    } else if (this.#left === 0) this.#prefixBytes = 0;
    return at + 1;
  }

  #readText(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    this.#left -= end - at;
    if (this.#left > 0) {
      this.#parts.push(Buffer.from(chunk.subarray(at, end))); // a copy, because the part may wait and the chunk is larger
      if (this.#parts.length > 64) this.#parts = [Buffer.concat(this.#parts)];
      return end;
    }
    if (this.#parts.length === 0) this.#blockIsWhole(chunk.toString('latin1', at, end));
    else {
      this.#parts.push(chunk.subarray(at, end));
      const text = Buffer.concat(this.#parts).toString('latin1');
      this.#parts = [];
      this.#blockIsWhole(text);
    }
    return end;
  }

  #blockIsWhole(text: string): void {
    this.#prefixBytes = 0;
    this.#handOn(); // the bytes before the block
    this.#listener.onBlock(this.#kind, text);
  }

  #readPiece(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    this.#left -= end - at;
    if (this.#left === 0) this.#prefixBytes = 0;
    const isLarge = end - at >= LARGE_PIECE || (end === chunk.length && this.#gathered === undefined);
    if (isLarge) {
      this.#handOn();
      this.#listener.onBytes(chunk.subarray(at, end));
    } else {
      this.#gathered ??= Buffer.allocUnsafe(chunk.length - at);
      this.#gatheredBytes += chunk.copy(this.#gathered, this.#gatheredBytes, at, end);
    }
    return end;
  }

  #handOn(): void {
    if (this.#gathered === undefined) return;
    const bytes = this.#gathered.subarray(0, this.#gatheredBytes);
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    if (!this.#isStopped) this.#listener.onBytes(bytes);
  }
}
