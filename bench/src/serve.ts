// The server's end of every case. What it does with a stream is what the first byte of the stream asks for.

import type { ByteStream } from './implementation.ts';
import { usedMemory } from './memory.ts';

/** Everything comes back. */
export const ECHO = 101;
/** Nothing comes back, until the peer writes END: then how many bytes came before it, as a double. */
export const COUNT = 99;
/** For each byte: what the server's process holds, as a double. */
export const WEIGH = 119;
/** The last byte of what is counted; no other is 0. Not the end of the stream: not everything that is measured has half-closed streams. */
export const END = 0;

export const RECEIPT_BYTES = 8;

/** Nobody here looks at back-pressure: what a stream is answered is small, or no more than its peer has under way. */
export function serve(stream: ByteStream): void {
  let receive: ((chunk: Uint8Array) => void) | undefined;
  stream.on('data', (chunk) => {
    receive ??= receiver(stream, chunk[0]);
    receive(chunk);
  });
  stream.on('end', () => stream.end());
}

function receiver(stream: ByteStream, asked: number | undefined): (chunk: Uint8Array) => void {
  switch (asked) {
    case ECHO:
      return (chunk) => stream.write(chunk);
    case COUNT:
      return counter(stream);
    case WEIGH:
      return () => void usedMemory().then((bytes) => stream.write(receiptOf(bytes)));
    default:
      throw new Error(`Expected a stream to begin with what it asks for, got byte ${asked}`);
  }
}

function counter(stream: ByteStream): (chunk: Uint8Array) => void {
  let received = 0;
  return (chunk) => {
    received += chunk.length;
    if (chunk[chunk.length - 1] !== END) return;
    stream.write(receiptOf(received - 1));
  };
}

function receiptOf(bytes: number): Buffer {
  const receipt = Buffer.alloc(RECEIPT_BYTES);
  receipt.writeDoubleBE(bytes);
  return receipt;
}
