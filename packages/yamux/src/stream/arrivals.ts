// Received bytes of one stream that wait for the application. A view into a chunk of the transport keeps the whole chunk in memory: 4,000
// waiting payloads of one byte would keep 250 MiB. So small parts of a chunk are copied together.

const FIRST_SLAB = 256;
const LAST_SLAB = 4096;
const SMALL = 1024;
/** Node is given whole pieces: with one of these and its highWaterMark it holds less than half a window. */
const LARGEST_PIECE = 65_536;
/** Limits the memory that waiting bytes keep to twice their size. */
const SMALL_SHARE = 2;

export class Arrivals {
  #chunks: Buffer[] = [];
  #first = 0;
  #length = 0;
  /** Small payloads are copied here, one behind the other. Those from `#slabStart` on are not in `#chunks` yet. */
  #slab: Buffer | undefined;
  #slabStart = 0;
  #slabEnd = 0;

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  /** Keeps `slice` behind what waits already. */
  keep(slice: Buffer): void {
    this.#length += slice.length;
    if (slice.length > LARGEST_PIECE) this.#appendInPieces(slice);
    else if (!isSmallPart(slice)) this.#append(slice);
    else if (slice.length > LAST_SLAB / 2) this.#append(copyOf(slice));
    else this.#copyToSlab(slice);
  }

  /** The next bytes, as one piece of at most 64 KiB; undefined if none wait. */
  take(): Buffer | undefined {
    if (this.#length === 0) return undefined;
    if (this.#first === this.#chunks.length) this.#closeSlabPiece();
    const chunk = this.#chunks[this.#first] as Buffer;
    this.#first += 1;
    this.#length -= chunk.length;
    if (this.#first === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#first = 0;
    }
    return chunk;
  }

  #append(chunk: Buffer): void {
    this.#closeSlabPiece();
    this.#chunks.push(chunk);
  }

  /** Single views would keep the whole slice in memory until the last is taken. */
  #appendInPieces(slice: Buffer): void {
    for (let at = 0; at < slice.length; at += LARGEST_PIECE)
      this.#append(copyOf(slice.subarray(at, at + LARGEST_PIECE)));
  }

  #copyToSlab(slice: Buffer): void {
    if (this.#slab === undefined || this.#slab.length - this.#slabEnd < slice.length) {
      this.#closeSlabPiece();
      const size = this.#slab === undefined ? FIRST_SLAB : LAST_SLAB;
      this.#slab = Buffer.allocUnsafeSlow(Math.max(size, slice.length));
      this.#slabStart = 0;
      this.#slabEnd = 0;
    }
    this.#slabEnd += slice.copy(this.#slab, this.#slabEnd);
  }

  /** What was copied last becomes a piece of its own; the room behind it is used for the next. */
  #closeSlabPiece(): void {
    if (this.#slab === undefined || this.#slabEnd === this.#slabStart) return;
    this.#chunks.push(this.#slab.subarray(this.#slabStart, this.#slabEnd));
    this.#slabStart = this.#slabEnd;
  }
}

/** Whether `slice` is so small, or such a small part of the memory it lives in, that keeping a view of it would pin far more. */
function isSmallPart(slice: Buffer): boolean {
  return slice.length < SMALL || slice.length * SMALL_SHARE < slice.buffer.byteLength;
}

/** A copy in memory of its own size: Buffer.from would share, and so pin, Node's pool. */
function copyOf(slice: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(slice.length);
  slice.copy(copy);
  return copy;
}
