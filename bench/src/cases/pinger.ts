// Sends one small message, waits for its echo, and repeats until the time is over.

import type { ByteStream } from '../implementation.ts';
import { MESSAGE_BYTES, message } from './echo.ts';

/** Resolves with the duration of each round trip, in ms. */
export function ping(stream: ByteStream, ms: number): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const roundTrips: number[] = [];
    let received = 0;
    let awaited = MESSAGE_BYTES;
    let sentAt = performance.now();
    const deadline = sentAt + ms;
    stream.on('data', (chunk) => {
      received += chunk.length;
      if (received < awaited) return;
      const now = performance.now();
      roundTrips.push(now - sentAt);
      if (now > deadline) {
        resolve(roundTrips);
        return;
      }
      sentAt = now;
      awaited += MESSAGE_BYTES;
      stream.write(message);
    });
    stream.on('close', () => reject(new Error(`closed with ${received} of ${awaited} bytes`)));
    stream.write(message);
  });
}
