// The baseline without a multiplexer: every stream is a TCP connection.

import { createServer } from 'node:net';
import type { Implementation } from '../implementation.ts';
import { dialLoopback, listenOnLoopback } from './loopback.ts';

export const rawSocket: Implementation = {
  name: 'net.Socket',
  version: `node ${process.versions.node}`,
  note: 'no multiplexing: every stream is a TCP connection of its own, so 100 streams are 100 sockets',

  listen(serve) {
    return listenOnLoopback(createServer({ noDelay: true, allowHalfOpen: true }, serve));
  },

  async connect(port) {
    return { open: () => dialLoopback(port), close: async () => {} };
  },
};
