// js-libp2p's Yamux. It muxes libp2p's own kind of connection, so a socket is given that shape by libp2p's own base class, with what
// libp2p's TCP transport does in each method.

import { createServer, type Socket } from 'node:net';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { MessageStreamDirection, MultiaddrConnection, Stream, StreamMuxer } from '@libp2p/interface';
import { defaultLogger } from '@libp2p/logger';
import { AbstractMultiaddrConnection, ipPortToMultiaddr, type SendResult } from '@libp2p/utils';
import type { Uint8ArrayList } from 'uint8arraylist';
import { type ByteStream, type Ends, MOST_STREAMS } from '../../implementation.ts';
import { dialLoopback, listenOnLoopback } from '../loopback.ts';

// libp2p uses it to measure round trips; without them its windows never grow. Node has it from version 22.
if (!('withResolvers' in Promise)) {
  Object.assign(Promise, {
    withResolvers() {
      const parts: Record<string, unknown> = {};
      parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
      return parts;
    },
  });
}

const createMuxer = yamux({ maxInboundStreams: MOST_STREAMS, maxOutboundStreams: MOST_STREAMS })();

export const ends: Ends = {
  listen(serve) {
    return listenOnLoopback(
      createServer({ noDelay: true }, (socket) => {
        createMuxer
          .createStreamMuxer(new SocketConnection(socket, 'inbound'))
          .addEventListener('stream', ({ detail }) => serve(asByteStream(detail)));
      }),
    );
  },

  async connect(port) {
    const socket = await dialLoopback(port);
    const muxer: StreamMuxer = createMuxer.createStreamMuxer(new SocketConnection(socket, 'outbound'));
    return {
      open: async () => asByteStream(await muxer.createStream()),
      async close() {
        await muxer.close();
        socket.destroy();
      },
    };
  },
};

class SocketConnection extends AbstractMultiaddrConnection implements MultiaddrConnection {
  readonly #socket: Socket;

  constructor(socket: Socket, direction: MessageStreamDirection) {
    const { remoteAddress = '', remotePort = 0 } = socket;
    super({
      direction,
      remoteAddr: ipPortToMultiaddr(remoteAddress, remotePort),
      log: defaultLogger().forComponent('bench'),
    });
    this.#socket = socket;
    socket.on('data', (chunk) => this.onData(chunk));
    socket.on('drain', () => this.safeDispatchEvent('drain'));
    socket.on('error', (error) => this.abort(error));
    socket.on('close', () => this.onTransportClosed());
  }

  sendData(data: Uint8ArrayList): SendResult {
    let sentBytes = 0;
    let canSendMore = true;
    for (const part of data) {
      sentBytes += part.byteLength;
      canSendMore = this.#socket.write(part);
      if (!canSendMore) break;
    }
    return { sentBytes, canSendMore };
  }

  async sendClose(): Promise<void> {
    this.#socket.destroySoon();
  }

  sendReset(): void {
    this.#socket.destroy();
  }

  sendPause(): void {
    this.#socket.pause();
  }

  sendResume(): void {
    this.#socket.resume();
  }
}

function asByteStream(stream: Stream): ByteStream {
  return {
    write: (chunk) => stream.send(chunk),
    end: () => stream.close(),
    on(event: 'data' | 'drain' | 'end' | 'close', listener: (chunk: Uint8Array) => void) {
      if (event === 'data') {
        // Emits its parts one by one: joining them would be a copy that its users need not make.
        stream.addEventListener('message', ({ data }) => {
          if (data instanceof Uint8Array) listener(data);
          else for (const part of data) listener(part);
        });
      } else if (event === 'end') stream.addEventListener('remoteCloseWrite', listener as () => void);
      else stream.addEventListener(event, listener as () => void);
    },
  };
}
