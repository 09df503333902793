// @zishuo/yamux, as built: the bench runs without the source condition, so this import is the published code.

import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { client, server } from '@zishuo/yamux';
import { type Implementation, MOST_STREAMS } from '../implementation.ts';
import { dialLoopback, listenOnLoopback } from './loopback.ts';

const { version } = createRequire(import.meta.url)('@zishuo/yamux/package.json') as { readonly version: string };

export const yamux: Implementation = {
  name: '@zishuo/yamux',
  version,
  note: 'one session over one net.Socket, default options but for the limit of inbound streams (1,000), its build from dist',

  listen(serve) {
    const options = { maxInboundStreams: MOST_STREAMS };
    return listenOnLoopback(createServer({ noDelay: true }, (socket) => server(socket, options).on('stream', serve)));
  },

  async connect(port) {
    const session = client(await dialLoopback(port));
    return { open: () => session.open(), close: () => session.close() };
  },
};
