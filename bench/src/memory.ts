// The memory of this process after garbage collection.

import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes on the heap of JavaScript and outside of it: `external` has the ArrayBuffers, and so the Buffers, in it. */
export async function usedMemory(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Finalizers and buffers of a collection are freed one or two turns of the event loop later.
  for (let times = 0; times < 4; times += 1) {
    collect();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
