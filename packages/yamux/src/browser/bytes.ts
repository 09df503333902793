// Buffer, as far as the packages use it, and a page that reads a stream: a Uint8Array whose toString() is its text.

export class Bytes extends Uint8Array<ArrayBuffer> {
  constructor(lengthOrMemory: number | ArrayBuffer, at?: number, length?: number) {
    super(lengthOrMemory as ArrayBuffer, at, length);
  }

  override subarray(start?: number, end?: number): Bytes {
    return super.subarray(start, end) as Bytes;
  }

  /** Copies `this` from `start` to `end` into `target` from `at` on. Returns how many bytes. */
  copy(target: Uint8Array, at = 0, start = 0, end: number = this.length): number {
    const part = this.subarray(start, Math.min(end, start + target.length - at));
    target.set(part, at);
    return part.length;
  }

  /** @throws {RangeError} for any other encoding than UTF-8. */
  override toString(encoding?: string, start?: number, end?: number): string {
    checkEncoding(encoding);
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.subarray(start ?? 0, end));
  }
}

/** The static members of Buffer that the packages use. */
export const Buffer = {
  alloc: (length: number): Bytes => new Bytes(length),
  allocUnsafe: (length: number): Bytes => new Bytes(length),
  allocUnsafeSlow: (length: number): Bytes => new Bytes(length),
  isBuffer: (value: unknown): value is Bytes => value instanceof Bytes,
  /** Of a text a copy, of memory a view. */
  from(value: string | ArrayBuffer, at?: number, length?: number): Bytes {
    if (typeof value !== 'string') return new Bytes(value, at, length);
    return new Bytes(new TextEncoder().encode(value).buffer);
  },
};

/**
 * What is written or pushed, as bytes.
 *
 * @throws {TypeError} for what is neither text nor bytes.
 */
export function bytesOf(chunk: unknown, encoding?: unknown): Bytes {
  if (chunk instanceof Bytes) return chunk;
  if (chunk instanceof Uint8Array) return new Bytes(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  if (typeof chunk !== 'string') {
    throw new TypeError(`Expected chunk to be a string or a Uint8Array, got ${chunk === null ? 'null' : typeof chunk}`);
  }
  checkEncoding(encoding);
  return Buffer.from(chunk);
}

/** @throws {RangeError} */
export function checkEncoding(encoding: unknown): void {
  if (encoding === undefined || encoding === null || /^(utf-?8|buffer)$/i.test(String(encoding))) return;
  throw new RangeError(`Expected encoding to be 'utf8', the only one in a browser, got ${String(encoding)}`);
}
