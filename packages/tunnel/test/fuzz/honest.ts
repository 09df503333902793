// Beside the hostile: a tenant with an agent, an origin and clients, who must not notice anything.
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { bytes } from '../differential/program.ts';
import { openSockets } from '../support/tunnel-under-test.ts';

export const HONEST_HOST = 'app.example';
const LARGE: string = bytes(200_000, 'large');

export interface HonestOrigin {
  readonly port: number;
  /** The Host of every request so far. */
  readonly hosts: Set<string>;
  /** Open ones. */
  readonly connections: number;
  close(): Promise<void>;
}

export async function honestOrigin(): Promise<HonestOrigin> {
  const hosts = new Set<string>();
  const sockets = new Set<Socket>();
  const server: Server = createServer((request, response) => {
    hosts.add(request.headers.host ?? '');
    request.on('error', () => {});
    request.resume();
    if (request.url === '/large') response.end(LARGE);
    else if (request.url === '/slow') setTimeout(() => response.end('slow'), 5);
    else request.once('end', () => response.end(`honest ${request.url}`));
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hosts,
    get connections() {
      return sockets.size;
    },
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

let asked = 0;

/** What is wrong with the answer to a request of an honest client; undefined if nothing is. */
export async function askHonestly(port: number): Promise<string | undefined> {
  asked += 1;
  const path = `/${asked}`;
  try {
    const sent = request({ port, host: '127.0.0.1', path, headers: { Host: HONEST_HOST }, agent: false }).end();
    const [response] = await once(sent, 'response');
    const body = await text(response);
    return body === `honest ${path}`
      ? undefined
      : `an honest client got ${response.statusCode} ${JSON.stringify(body)}`;
  } catch (error) {
    return `an honest client got ${String(error)}`;
  }
}

/** Sockets that a scene is to have when nothing is asked, and those beyond. */
export class SocketCount {
  readonly #origin: HonestOrigin;
  readonly #own: number;

  /** Now, when nothing is asked. */
  constructor(origin: HonestOrigin) {
    this.#origin = origin;
    this.#own = this.#counted;
  }

  get surplus(): number {
    return this.#counted - this.#own;
  }

  /** But both ends of what an agent keeps to the origin. */
  get #counted(): number {
    return (openSockets() ?? 0) - 2 * this.#origin.connections;
  }
}
