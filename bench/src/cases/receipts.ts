// The numbers that a server sends on a stream, in order.

import type { ByteStream } from '../implementation.ts';
import { RECEIPT_BYTES } from '../serve.ts';

export class Receipts {
  #bytes = Buffer.alloc(0);
  #awaited: ((receipt: number) => void) | undefined;

  constructor(stream: ByteStream) {
    stream.on('data', (part) => {
      this.#bytes = Buffer.concat([this.#bytes, part]);
      this.#settle();
    });
  }

  /** One at a time. */
  next(): Promise<number> {
    return new Promise((resolve) => {
      this.#awaited = resolve;
      this.#settle();
    });
  }

  #settle(): void {
    if (this.#bytes.length < RECEIPT_BYTES || this.#awaited === undefined) return;
    const receipt = this.#bytes.readDoubleBE();
    this.#bytes = this.#bytes.subarray(RECEIPT_BYTES);
    const settle = this.#awaited;
    this.#awaited = undefined;
    settle(receipt);
  }
}
