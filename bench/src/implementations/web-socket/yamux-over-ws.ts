// Ours, whole: a session over a WebSocket.

import { client, server } from '@zishuo/yamux-websocket';
import type { Implementation } from '../../implementation.ts';
import { dialWebSocket, listenForWebSockets } from './loopback.ts';
import { websocketVersion } from './streams.ts';

export const yamuxOverWs: Implementation = {
  name: 'yamux over a WebSocket',
  version: websocketVersion,
  note: 'one session by client() and server() of @zishuo/yamux-websocket, default options, its build from dist, over ws',

  listen(serve) {
    return listenForWebSockets((socket) => server(socket).on('stream', serve));
  },

  async connect(port) {
    const session = client(await dialWebSocket(port));
    return { open: () => session.open(), close: () => session.close() };
  },
};
