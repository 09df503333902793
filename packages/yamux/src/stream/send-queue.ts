// What the application wrote on one stream and what has not been handed to the transport yet, as the chunks it wrote: never joined,
// never copied but by the frame that carries them.

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
   * Copies up to `max` bytes into `into` at `at`, and returns how many: from as many chunks as it takes, but stopping before one of
   * `large` bytes or more, which is not worth a copy.
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

  /** Copies what waits: whoever wrote it may use its memory again. */
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
