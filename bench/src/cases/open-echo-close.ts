// Many short streams. A stream is done when its 64 bytes have come back, both sides have ended it, and it is closed.

import type { Case } from '../case.ts';
import type { ByteStream } from '../implementation.ts';
import { MESSAGE_BYTES, message } from './echo.ts';
import { inTime } from './patience.ts';

const IN_FLIGHT = 100;

export const openEchoClose: Case = {
  name: 'open-echo-close',
  figures: [
    {
      name: 'open-echo-close',
      title: `open, echo ${MESSAGE_BYTES} B, close, ${IN_FLIGHT} in flight`,
      unit: 'streams/s',
      better: 'higher',
    },
  ],
  load: { kind: 'open-echo-close', inFlight: IN_FLIGHT },

  async drive(connection, ms) {
    const start = performance.now();
    let done = 0;
    const oneAfterTheOther = async (): Promise<void> => {
      while (performance.now() < start + ms) {
        await exchange(await connection.open());
        done += 1;
      }
    };
    const all = Promise.all(Array.from({ length: IN_FLIGHT }, oneAfterTheOther));
    await inTime(all, () => `${done} streams were closed on both sides, and the next ones not`, ms);
    return [done / ((performance.now() - start) / 1000)];
  },
};

function exchange(stream: ByteStream): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0;
    let ended = false;
    stream.on('data', (chunk) => {
      received += chunk.length;
      if (received === MESSAGE_BYTES) stream.end();
    });
    stream.on('end', () => {
      ended = true;
    });
    stream.on('close', () => {
      if (ended && received === MESSAGE_BYTES) resolve();
      else
        reject(new Error(`closed ${ended ? 'after' : 'without'} its end, with ${received} of ${MESSAGE_BYTES} bytes`));
    });
    stream.write(message);
  });
}
