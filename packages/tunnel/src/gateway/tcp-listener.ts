// A public port for one TCP service of the agents.
import { createServer, type Server, type Socket } from 'node:net';
import { reset } from '../http/connection.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { serveTcpConnection } from './tcp-exchange.ts';

export interface TcpService {
  /** As the agents' tokens name it, without `tcp:`. */
  readonly name: string;
  /** Default 0: any free one. */
  readonly port: number;
}

/** Milliseconds before the system asks whether a silent client is still there. */
const KEEP_ALIVE = 30_000;

export class TcpListener {
  readonly name: string;
  readonly #server: Server;
  readonly #running = new Set<Socket>();
  #onIdle: (() => void) | undefined;

  constructor(name: string, context: ExchangeContext) {
    this.name = name;
    // Half-open: a client that has ended its side still waits for the response.
    this.#server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE,
    });
    this.#server.on('connection', (socket) => {
      this.#running.add(socket);
      void serveTcpConnection(socket, name, context).then(() => {
        this.#running.delete(socket);
        if (this.#running.size === 0) this.#onIdle?.();
      });
    });
  }

  get server(): Server {
    return this.#server;
  }

  get count(): number {
    return this.#running.size;
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#running.size === 0) resolve();
      else this.#onIdle = resolve;
    });
  }

  /** Takes no new connection. Resolves when none is left. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  cut(): void {
    for (const socket of this.#running) reset(socket);
  }
}
