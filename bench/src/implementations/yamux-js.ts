// yamux-js, which most Node programs use. Its session is a Transform, piped through the transport.

import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { Client, Server, type Stream } from 'yamux-js';
import { type ByteStream, type Implementation, MOST_STREAMS } from '../implementation.ts';
import { dialLoopback, listenOnLoopback } from './loopback.ts';
import { versionOf } from './version.ts';

const config = { acceptBacklog: MOST_STREAMS, logger: () => {} };

export const yamuxJs: Implementation = {
  name: 'yamux-js',
  version: versionOf('yamux-js'),
  note: 'one session piped through one net.Socket, default options but for the backlog (256); loses what follows as soon as a frame is split across two chunks, and never hears that a peer has ended a stream',

  listen(serve) {
    return listenOnLoopback(
      createServer({ noDelay: true }, (socket) => {
        const session = new Server((stream) => serve(asByteStream(stream as Stream)), config);
        socket.pipe(session).pipe(socket);
      }),
    );
  },

  async connect(port) {
    const socket = await dialLoopback(port);
    const session = new Client(config);
    socket.pipe(session).pipe(socket);
    return {
      open: async () => asByteStream(session.open()),
      async close() {
        session.close();
        socket.destroy();
      },
    };
  },
};

function asByteStream(stream: Stream): ByteStream {
  return {
    write: (chunk) => stream.write(chunk),
    // Its end() sends nothing to the peer; its close() does.
    end: () => stream.end(() => stream.close()),
    on: (event: string, listener: (chunk: Uint8Array) => void) => (stream as Duplex).on(event, listener),
  };
}
