// @zishuo/yamux-websocket: a session over a WebSocket.

import { client, server } from '@zishuo/yamux-websocket';
import type { Implementation } from '../../implementation.ts';
import { versionOf } from '../version.ts';
import type { Way } from './ways.ts';

export function yamuxOverWs({ listen, dial }: Way): Implementation {
  return {
    name: 'yamux over a WebSocket',
    version: versionOf('@zishuo/yamux-websocket'),
    note: 'one session by client() and server() of @zishuo/yamux-websocket, default options, its build from dist, over ws',
    listen: (serve) => listen((socket) => void server(socket).on('stream', serve)),
    async connect(port) {
      const session = client(await dial(port));
      return { open: () => session.open(), close: () => session.close() };
    },
  };
}
