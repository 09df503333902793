// The baseline: one message for each write, with the back-pressure that `ws` allows.

import type { WebSocket } from 'ws';
import type { ByteStream, Implementation } from '../../implementation.ts';
import { versionOf } from '../version.ts';
import { singleStream } from './single-stream.ts';
import type { Way } from './ways.ts';

/** How many bytes may wait in the socket before the writer waits, as in our byte stream. */
const HIGH_WATER_MARK = 1_048_576;

export function rawWs(way: Way): Implementation {
  const described = {
    name: 'ws',
    version: versionOf('ws'),
    note: 'no stream: a message a write, with send() and its callback; masks in JavaScript, without bufferutil',
  };
  return singleStream(described, way, asByteStream);
}

function asByteStream(socket: WebSocket): ByteStream {
  let drained = (): void => {};
  return {
    write(chunk) {
      const goesOn = socket.bufferedAmount < HIGH_WATER_MARK;
      if (goesOn) socket.send(chunk);
      else socket.send(chunk, () => drained());
      return goesOn;
    },
    end: () => socket.close(),
    on(event: 'data' | 'drain' | 'end' | 'close', listener: (chunk: Uint8Array) => void) {
      if (event === 'data') socket.on('message', listener);
      else if (event === 'drain') drained = listener as () => void;
      // 1005: closed without a code, by close(). 1006: no close frame came.
      else if (event === 'end') socket.on('close', (code) => code === 1005 && (listener as () => void)());
      else socket.on('close', listener as () => void);
    },
  };
}
