// A Duplex over one WebSocket: that of `ws`, and ours.

import { webSocketStream } from '@zishuo/yamux-websocket';
import { createWebSocketStream } from 'ws';
import type { Implementation } from '../../implementation.ts';
import { versionOf } from '../version.ts';
import { overWebSocket, wsVersion } from './loopback.ts';

export const websocketVersion: string = versionOf('@zishuo/yamux-websocket');

export const ourStream: Implementation = overWebSocket(
  {
    name: 'webSocketStream()',
    version: websocketVersion,
    note: 'of @zishuo/yamux-websocket, default options, its build from dist, over ws',
  },
  (socket) => webSocketStream(socket),
);

export const wsStream: Implementation = overWebSocket(
  { name: 'createWebSocketStream()', version: wsVersion, note: 'of ws, default options' },
  (socket) => createWebSocketStream(socket),
);
