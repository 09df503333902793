// One small message there and back, then the next: the time of the whole way through both ends, alone.

import type { Case } from '../case.ts';
import { echo, MESSAGE_BYTES } from './echo.ts';

const message = Buffer.alloc(MESSAGE_BYTES, 'yamux');

export const pingPong: Case = {
  name: 'ping-pong',
  title: `${MESSAGE_BYTES} B ping-pong on one stream`,
  unit: 'µs',
  better: 'lower',
  serve: echo,

  async drive(connection, ms) {
    const stream = await connection.open();
    return new Promise((resolve, reject) => {
      let received = 0;
      let awaited = MESSAGE_BYTES;
      let elapsed = 0;
      const start = performance.now();
      stream.on('data', (chunk) => {
        received += chunk.length;
        if (received < awaited) return;
        elapsed = performance.now() - start;
        if (elapsed > ms) {
          stream.end();
          return;
        }
        awaited += MESSAGE_BYTES;
        stream.write(message);
      });
      stream.on('close', () => {
        if (elapsed > ms && received === awaited) resolve((elapsed * 1000) / (received / MESSAGE_BYTES));
        else reject(new Error(`closed with ${received} of ${awaited} bytes`));
      });
      stream.write(message);
    });
  },
};
