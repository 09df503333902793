// The server's end of the cases that wait for an answer.

import type { ByteStream } from '../implementation.ts';

/** What every echoed message weighs. */
export const MESSAGE_BYTES = 64;

/** Answers without looking at back-pressure: a client has one message of 64 bytes under way on a stream. */
export function echo(stream: ByteStream): void {
  stream.on('data', (chunk) => stream.write(chunk));
  stream.on('end', () => stream.end());
}
