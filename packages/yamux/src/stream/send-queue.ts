// The chunks that the application wrote on one stream and that are not handed to the transport yet. They are never joined, and copied only into
// a frame.

export class SendQueue {
  #chunks: Buffer[] = [];
  #first = 0;
  #offset = 0;
  #length = 0;

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  /** Bytes waiting in the first chunk. */
  get headLength(): number {
    const head = this.#chunks[this.#first];
    return head === undefined ? 0 : head.length - this.#offset;
  }

  put(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Takes `bytes`, at most `headLength`, as a view into the first chunk. */
  take(bytes: number): Buffer {
    const head = this.#chunks[this.#first] as Buffer;
    const start = this.#offset;
    const whole = bytes === head.length;
    this.#advance(head, bytes);
    return whole ? head : head.subarray(start, start + bytes);
  }

  /**
   * Copies up to `max` bytes into `into` at `at`, from several chunks, and returns the number of bytes. Stops before a chunk of `large` bytes or
   * more, which is not worth a copy.
   */
  copyInto(into: Buffer, at: number, max: number, large: number): number {
    let copied = 0;
    while (copied < max && this.#length > 0 && (copied === 0 || this.headLength < large)) {
      const head = this.#chunks[this.#first] as Buffer;
      const bytes = Math.min(max - copied, head.length - this.#offset);
      head.copy(into, at + copied, this.#offset, this.#offset + bytes);
      copied += bytes;
      this.#advance(head, bytes);
    }
    return copied;
  }

  /** Forgets all that waits behind the first `bytes`. */
  truncate(bytes: number): void {
    if (bytes >= this.#length) return;
    if (bytes === 0) {
      this.clear();
      return;
    }
    const kept = Buffer.allocUnsafeSlow(bytes);
    for (let at = 0; at < bytes; ) at += this.copyInto(kept, at, bytes - at, Number.POSITIVE_INFINITY);
    this.clear();
    this.put(kept);
  }

  /** Copies the waiting bytes, so that the writer may reuse its memory. */
  own(): void {
    const owned = Buffer.allocUnsafeSlow(this.#length);
    for (let at = 0; at < owned.length; ) {
      at += this.copyInto(owned, at, owned.length - at, Number.POSITIVE_INFINITY);
    }
    this.clear();
    this.put(owned);
  }

  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#offset = 0;
    this.#length = 0;
  }

  #advance(head: Buffer, bytes: number): void {
    this.#length -= bytes;
    this.#offset += bytes;
    if (this.#offset < head.length) return;
    this.#offset = 0;
    this.#first += 1;
    if (this.#length === 0) {
      this.#chunks.length = 0;
      this.#first = 0;
    }
  }
}
