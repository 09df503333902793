// The server's half of every case. The first byte of a stream selects what it does.

import type { ByteStream } from './implementation.ts';
import { usedMemory } from './memory.ts';

/** Sends everything back. */
export const ECHO = 101;
/** Sends nothing until the peer writes END: then the number of bytes before it, as a double. */
export const COUNT = 99;
/** Sends the memory of the server's process for each byte, as a double. */
export const WEIGH = 119;
/** The last of the counted bytes; all others are not 0. It is not the end of the stream, because not every contender has half-closed streams. */
export const END = 0;

export const RECEIPT_BYTES = 8;

/** Ignores back-pressure: responses are small, or no larger than the data that the peer has in flight. */
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
