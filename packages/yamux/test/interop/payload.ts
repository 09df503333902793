// The bytes that follow from a seed, the same here and in go-peer/transfer.go: a linear congruential generator, the high byte
// of each state. Any two implementations that agree on a seed and a size agree on the hash.
import { createHash } from 'node:crypto';

export function payload(seed: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
