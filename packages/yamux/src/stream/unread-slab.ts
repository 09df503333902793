// Small payloads that nobody has read yet, appended to memory of the stream's own. A view into a chunk of the transport keeps the
// whole chunk alive: 4,000 unread one-byte payloads would otherwise pin 250 MiB.

const SLAB_SIZE = 4096;
const SMALL = 1024;
/** With it, what waits pins at most twice its own size. */
const SMALL_SHARE = 2;

/** Whether `slice` is so small, or such a small part of the memory it lives in, that keeping a view of it would pin far more. */
export function isSmallPart(slice: Buffer): boolean {
  return slice.length < SMALL || slice.length * SMALL_SHARE < slice.buffer.byteLength;
}

export class UnreadSlab {
  #slab: Buffer | undefined;
  #length = 0;

  /** Bytes kept here. */
  get length(): number {
    return this.#length;
  }

  /** Copies `slice` behind what is here; false, with nothing done, if it does not fit. */
  append(slice: Buffer): boolean {
    if (slice.length > SLAB_SIZE - this.#length) return false;
    this.#slab ??= Buffer.allocUnsafeSlow(SLAB_SIZE);
    this.#length += slice.copy(this.#slab, this.#length);
    return true;
  }

  /** What is kept here, and forgets it. A slab that is mostly empty is copied to its size. */
  take(): Buffer | undefined {
    if (this.#slab === undefined || this.#length === 0) return undefined;
    const kept = this.#slab.subarray(0, this.#length);
    this.#slab = undefined;
    this.#length = 0;
    return kept.length * 2 < SLAB_SIZE ? copyOf(kept) : kept;
  }
}

/** A copy in memory of its own size: Buffer.from would share, and so pin, Node's pool. */
export function copyOf(slice: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(slice.length);
  slice.copy(copy);
  return copy;
}
