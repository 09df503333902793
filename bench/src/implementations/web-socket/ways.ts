// Connects two processes with a WebSocket of `ws` over TCP on 127.0.0.1: no compression, messages of any size. A client masks
// every byte that it sends and a server none, so it matters which of them is the sender.

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import type { Listening } from '../../implementation.ts';
import { dialLoopback, listenOnLoopback } from '../loopback.ts';

export interface Way {
  /** Runs in the process that serves streams. */
  listen(accept: (socket: WebSocket) => void): Promise<Listening>;
  /** Runs in the process that opens streams, and sends the most. */
  dial(port: number): Promise<WebSocket>;
}

const options = { perMessageDeflate: false, maxPayload: 0 };

/** The usual direction: the end that dials is the client. */
export const masked: Way = clientDials();

/** The same with a mask key of zeros, as `dial()` uses over `wss:`: `ws` then masks no byte, at either end. */
export const zeroKey: Way = clientDials({ generateMask: (mask) => mask.fill(0) });

function clientDials(more: ClientOptions = {}): Way {
  return {
    listen(accept) {
      const http = createHttpServer();
      new WebSocketServer({ ...options, server: http }).on('connection', accept);
      return listenOnLoopback(http);
    },

    async dial(port) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`, { ...options, ...more });
      await once(socket, 'open');
      return socket;
    },
  };
}

/** The opposite direction: the end that dials the TCP connection is the server of the WebSocket. */
export const unmasked: Way = {
  listen(accept) {
    return listenOnLoopback(
      createServer({ noDelay: true }, (tcp) => {
        const socket = new WebSocket('ws://127.0.0.1', { ...options, createConnection: () => tcp });
        socket.on('open', () => accept(socket));
      }),
    );
  },

  async dial(port) {
    const http = createHttpServer();
    const connection = once(new WebSocketServer({ ...options, server: http }), 'connection');
    http.emit('connection', await dialLoopback(port));
    const [socket] = (await connection) as [WebSocket];
    return socket;
  },
};
