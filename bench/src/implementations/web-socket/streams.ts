// A Duplex over one WebSocket: the one of `ws`, and ours.

import { webSocketStream } from '@zishuo/yamux-websocket';
import { createWebSocketStream } from 'ws';
import type { Implementation } from '../../implementation.ts';
import { versionOf } from '../version.ts';
import { singleStream } from './single-stream.ts';
import type { Way } from './ways.ts';

export function ourStream(way: Way): Implementation {
  const described = {
    name: 'webSocketStream()',
    version: versionOf('@zishuo/yamux-websocket'),
    note: 'of @zishuo/yamux-websocket, default options, its build from dist, over ws',
  };
  return singleStream(described, way, (socket) => webSocketStream(socket));
}

export function wsStream(way: Way): Implementation {
  const described = { name: 'createWebSocketStream()', version: versionOf('ws'), note: 'of ws, default options' };
  return singleStream(described, way, (socket) => createWebSocketStream(socket));
}
