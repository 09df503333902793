// The sending half of a stream on which the server counts.

import type { ByteStream } from '../implementation.ts';
import { COUNT, END } from '../serve.ts';
import { inTime } from './patience.ts';
import { Receipts } from './receipts.ts';

const end = Buffer.of(END);

export function chunkOf(bytes: number): Uint8Array {
  return Buffer.alloc(bytes, COUNT);
}

export class Sender {
  readonly #stream: ByteStream;
  readonly #receipts: Receipts;
  readonly #chunk: Uint8Array;
  readonly #bytesPerMs: number;
  #sent = 0;
  /** The number of sent ENDs: the receiver counts earlier ones with the other bytes. */
  #ends = 0;
  #write = (): void => {};

  /**
   * `chunk` is what it writes over and over, made by `chunkOf`: one for all senders, or 10,000 of them would fill the memory. It writes no
   * faster than `bytesPerMs`, looked at once a millisecond.
   */
  constructor(stream: ByteStream, chunk: Uint8Array, bytesPerMs: number = Number.POSITIVE_INFINITY) {
    this.#stream = stream;
    this.#receipts = new Receipts(stream);
    this.#chunk = chunk;
    this.#bytesPerMs = bytesPerMs;
    stream.on('drain', () => this.#write());
  }

  /** Writes for the given time. Resolves with the number of bytes when the peer has confirmed it. Call it once at a time. */
  async send(ms: number): Promise<number> {
    const before = this.#sent;
    const describe = (what: string) => (): string => `${this.#sent} bytes were sent, and ${what}`;
    await inTime(this.#writeFor(ms), describe('no more were taken'), ms);
    this.#stream.write(end);
    const received = (await inTime(this.#receipts.next(), describe('no receipt came'))) - this.#ends;
    this.#ends += 1;
    if (received === this.#sent) return this.#sent - before;
    throw new Error(`${this.#sent} bytes were sent, and the receiver says ${received}`);
  }

  /** Resolves when the last chunk has been written. There is at least one. */
  #writeFor(ms: number): Promise<void> {
    const before = this.#sent;
    const start = performance.now();
    const isAhead = (): boolean => this.#sent - before > this.#bytesPerMs * (performance.now() - start);
    return new Promise((resolve) => {
      this.#write = () => {
        while (this.#sent === before || performance.now() < start + ms) {
          if (isAhead()) {
            setTimeout(() => this.#write(), 1);
            return;
          }
          this.#sent += this.#chunk.length;
          if (!this.#stream.write(this.#chunk)) return;
        }
        this.#write = () => {};
        resolve();
      };
      this.#write();
    });
  }
}
