// A separate port for agents, so that agents and public clients can use different networks.
import type { Socket } from 'node:net';
import { answerError } from '../http/error-response.ts';
import type { AgentsEntrance } from './agents-entrance.ts';
import type { CountedConnections } from './counted-connections.ts';
import { type PublicServer, type PublicServerOptions, publicServer } from './public-server.ts';

export class AgentsPort {
  readonly #public: PublicServer;

  constructor(options: PublicServerOptions, entrance: AgentsEntrance, connections: CountedConnections) {
    this.#public = publicServer(options);
    const { server } = this.#public;
    connections.watch(server);
    server.on('upgrade', (request, socket: Socket, head) => {
      socket.on('error', () => {}); // 'close' follows
      // Nothing can be written behind a request that is not answered yet.
      if (socket.writableLength > 0) socket.destroy();
      else entrance.accept(request, { socket, head });
    });
    server.on('request', (_request, response) => {
      const message = 'Agents dial in here, by WebSocket';
      answerError(response, { status: 426, code: 'ERR_TUNNEL_BAD_REQUEST', message }, ['Connection', 'close']);
    });
    server.on('clientError', (_error, socket) => void socket.destroy());
  }

  get server(): PublicServer['server'] {
    return this.#public.server;
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#public.server.close(() => resolve()));
    this.#public.cut();
    return closed;
  }
}
