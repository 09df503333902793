// Makes one stream of a whole WebSocket: each opened stream is a separate connection.

import type { WebSocket } from 'ws';
import type { ByteStream, Contender, Implementation } from '../../implementation.ts';
import type { Way } from './ways.ts';

export function singleStream(
  described: Contender,
  { listen, dial }: Way,
  toStream: (socket: WebSocket) => ByteStream,
): Implementation {
  return {
    ...described,
    listen: (serve) => listen((socket) => serve(toStream(socket))),
    async connect(port) {
      const sockets: WebSocket[] = [];
      return {
        async open() {
          const socket = await dial(port);
          sockets.push(socket);
          return toStream(socket);
        },
        async close() {
          for (const socket of sockets) socket.terminate();
        },
      };
    },
  };
}
