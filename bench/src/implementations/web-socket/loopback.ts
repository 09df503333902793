// A WebSocket of `ws` over TCP on 127.0.0.1, the same for every contender: no compression, messages of any size.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import type { ByteStream, Implementation } from '../../implementation.ts';
import { listenOnLoopback } from '../loopback.ts';
import { versionOf } from '../version.ts';

const options = { perMessageDeflate: false, maxPayload: 0 };

export const wsVersion: string = versionOf('ws');

/** One that makes a single stream of each WebSocket. */
export function overWebSocket(
  described: Pick<Implementation, 'name' | 'version' | 'note'>,
  toStream: (socket: WebSocket) => ByteStream,
): Implementation {
  return {
    ...described,
    listen: (serve) => listenForWebSockets((socket) => serve(toStream(socket))),
    async connect(port) {
      const sockets: WebSocket[] = [];
      return {
        async open() {
          const socket = await dialWebSocket(port);
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

export function listenForWebSockets(accept: (socket: WebSocket) => void): ReturnType<typeof listenOnLoopback> {
  const http = createServer();
  new WebSocketServer({ ...options, server: http }).on('connection', accept);
  return listenOnLoopback(http);
}

export async function dialWebSocket(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, options);
  await once(socket, 'open');
  return socket;
}
