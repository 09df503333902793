// node:http2: every stream is a request and its response, with bodies in both directions.

import { once } from 'node:events';
import { connect, createServer } from 'node:http2';
import type { Implementation } from '../implementation.ts';
import { listenOnLoopback } from './loopback.ts';

/** The memory of all streams of a session, in MB. The default of 10 is too little for 10,000 streams. */
const LIMITS = { maxSessionMemory: 1000 };

export const http2: Implementation = {
  name: 'node:http2',
  version: `node ${process.versions.node}, nghttp2 ${process.versions.nghttp2}`,
  note: 'h2c by prior knowledge, one session, default settings (windows of 64 KiB) but for the memory of a session (10 MB), a POST and its response per stream',

  listen(serve) {
    const server = createServer(LIMITS);
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      serve(stream);
    });
    return listenOnLoopback(server);
  },

  async connect(port) {
    const session = connect(`http://127.0.0.1:${port}`, LIMITS);
    await once(session, 'connect');
    return {
      open: async () => session.request({ ':method': 'POST', ':path': '/' }),
      close: () => new Promise((resolve) => session.close(resolve)),
    };
  },
};
