// The public port: the connections of clients, each with its queue of requests. Agents that dial in here are handed to the agents' entrance.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, TunnelError } from '../errors.ts';
import { hostName } from '../http/host.ts';
import type { UpgradeRequest } from '../http/upgrade-response.ts';
import type { Log } from '../log.ts';
import { ClientConnection, type ConnectionHost } from './client-connection.ts';
import type { CountedConnections } from './counted-connections.ts';
import type { ExchangeContext } from './exchange-context.ts';
import type { PublicExchange } from './public-exchange.ts';
import { type PublicServer, type PublicServerOptions, publicServer } from './public-server.ts';

export interface PublicPortOptions extends PublicServerOptions {
  readonly context: ExchangeContext;
  readonly maxPipelined: number;
  readonly connections: CountedConnections;
  /** The entrance for agents on this port; undefined if agents have a separate port. */
  readonly agents: { readonly path: string; readonly host: string | undefined } | undefined;
  readonly acceptAgent: (request: IncomingMessage, upgrade: UpgradeRequest) => void;
  readonly log: Log;
}

/** The most milliseconds between two checks of running exchanges; less if a limit is shorter. */
const LOOK = 500;

export class PublicPort implements ConnectionHost {
  readonly context: ExchangeContext;
  readonly maxPipelined: number;
  readonly lingering: Set<Socket> = new Set();
  readonly #options: PublicPortOptions;
  readonly #public: PublicServer;
  readonly #connections = new WeakMap<Socket, ClientConnection>();
  readonly #running = new Set<PublicExchange>();
  readonly #looking: NodeJS.Timeout;
  #onIdle: (() => void) | undefined;
  isClosing = false;

  constructor(options: PublicPortOptions) {
    this.#options = options;
    this.context = options.context;
    this.maxPipelined = options.maxPipelined;
    this.#public = publicServer(options);
    const { server, connectionEvent } = this.#public;
    options.connections.watch(server);
    server.prependListener(connectionEvent, (socket: Socket) => this.#connectionOf(socket));
    const take = (request: IncomingMessage, response: ServerResponse): void => {
      this.#guard(request.socket, () => this.#connectionOf(request.socket).request(request, response));
    };
    server.on('request', take);
    // With these listeners node:http does not answer Expect itself. We pass the field on to the origin, which answers it.
    server.on('checkContinue', take).on('checkExpectation', take);
    server.on('upgrade', (request, socket: Socket, head) => {
      this.#guard(socket, () => this.#connectionOf(socket).upgrade('upgrade', request, head));
    });
    server.on('connect', (request, socket: Socket, head) => {
      this.#guard(socket, () => this.#connectionOf(socket).upgrade('connect', request, head));
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      this.#guard(socket, () => {
        const connection = this.#connections.get(socket);
        if (connection === undefined || !socket.writable) socket.destroy();
        else connection.failed(statusFor(error.code));
      });
    });
    const { idleTimeout, attemptTimeout, openTimeout } = options.context;
    const shortest = Math.min(...[idleTimeout, attemptTimeout, openTimeout].filter((limit) => limit > 0));
    this.#looking = setInterval(() => this.#look(), Math.max(20, Math.min(LOOK, shortest / 4))).unref();
  }

  get server(): PublicServer['server'] {
    return this.#public.server;
  }

  get count(): number {
    return this.#running.size;
  }

  /** What runs now. */
  get running(): ReadonlySet<PublicExchange> {
    return this.#running;
  }

  began(exchange: PublicExchange): void {
    this.#running.add(exchange);
  }

  ended(exchange: PublicExchange): void {
    this.#running.delete(exchange);
    if (this.#running.size === 0) this.#onIdle?.();
  }

  acceptAgent(request: IncomingMessage, upgrade: UpgradeRequest): boolean {
    const { agents, acceptAgent } = this.#options;
    if (agents === undefined || request.url?.split('?', 1)[0] !== agents.path) return false;
    if (agents.host !== undefined && hostName(request.headers.host) !== agents.host) return false;
    acceptAgent(request, upgrade);
    return true;
  }

  parse(socket: Socket): void {
    this.#public.server.emit(this.#public.connectionEvent, socket);
  }

  /** Further responses have Connection: close; idle connections are closed now. Resolves when no connection is left. */
  close(): Promise<void> {
    this.isClosing = true;
    for (const { response } of this.#running) response.shouldKeepAlive = false; // so that the client connects elsewhere next
    return new Promise((resolve) => this.#public.server.close(() => resolve()));
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#running.size === 0) resolve();
      else this.#onIdle = resolve;
    });
  }

  /** Ends all requests except joined connections, and every other connection. */
  cut(): void {
    clearInterval(this.#looking);
    for (const exchange of this.#running) exchange.abort(new TunnelError('ERR_TUNNEL_NOT_READY', 'the gateway closes'));
    this.#public.cut();
    for (const socket of this.lingering) socket.destroy();
  }

  #look(): void {
    const now = performance.now();
    for (const exchange of this.#running) this.#guard(exchange.request.socket, () => exchange.check(now));
  }

  #connectionOf(socket: Socket): ClientConnection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = new ClientConnection(socket, this);
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  /** The last resort: an unexpected error ends the connection that it belongs to, and nothing else. */
  #guard(socket: Socket, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.log('unforeseen error', { error: describe(error), stack: (error as Error).stack });
      socket.destroy();
    }
  }
}

function statusFor(code: string | undefined): string {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return '431 Request Header Fields Too Large';
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return '413 Payload Too Large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return '408 Request Timeout';
    default:
      return '400 Bad Request';
  }
}
