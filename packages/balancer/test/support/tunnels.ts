// Real sessions in a pool, over TCP and over WebSockets, each on a wire of its own; their peers send everything back.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { client, type SessionOptions, server, type YamuxSession } from '@zishuo/yamux';
import { acceptUpgrades, dial } from '@zishuo/yamux-websocket';
import type { SessionRef } from '../../src/member/session-ref.ts';
import type { SessionPool } from '../../src/pool.ts';
import { type Relay, relayTo } from './relay.ts';

export interface Tunnel {
  readonly key: string;
  readonly near: YamuxSession;
  readonly far: YamuxSession;
  readonly wire: Relay;
  readonly ref: SessionRef;
}

export type Transport = 'TCP' | 'WebSocket';

export class Tunnels {
  readonly #transport: Transport;
  readonly #pool: SessionPool;
  readonly #servers: Server[] = [];
  readonly all: Tunnel[] = [];

  constructor(transport: Transport, pool: SessionPool) {
    this.#transport = transport;
    this.#pool = pool;
  }

  /** `near` are the options of the pooled end, `far` of the one that echoes. */
  async add(key: string, near: SessionOptions = {}, far: SessionOptions = {}): Promise<Tunnel> {
    const { nearSession, farSession, wire } = await (this.#transport === 'TCP' ? this.#tcp : this.#webSocket)(
      near,
      far,
    );
    farSession.on('error', () => {});
    farSession.on('stream', (stream) => stream.on('error', () => {}).pipe(stream));
    const ref = this.#pool.add(nearSession, { key });
    const tunnel = { key, near: nearSession, far: farSession, wire, ref };
    this.all.push(tunnel);
    return tunnel;
  }

  async close(): Promise<void> {
    for (const { near, far, wire } of this.all) {
      near.on('error', () => {});
      near.destroy();
      far.destroy();
      await wire.close();
    }
    for (const listener of this.#servers) await new Promise((resolve) => listener.close(resolve));
  }

  readonly #tcp = async (near: SessionOptions, far: SessionOptions): Promise<Ends> => {
    const listener = createServer();
    const wire = await this.#listen(listener);
    const accepted = once(listener, 'connection') as Promise<[Socket]>;
    const socket = connect(wire.port, '127.0.0.1');
    return { wire, farSession: server((await accepted)[0], far), nearSession: client(socket, near) };
  };

  readonly #webSocket = async (near: SessionOptions, far: SessionOptions): Promise<Ends> => {
    const http = createHttpServer();
    const wire = await this.#listen(http);
    const accepted = new Promise<YamuxSession>((resolve) => {
      acceptUpgrades(http, { path: '/', authenticate: () => true, yamux: far, onSession: resolve });
    });
    const nearSession = await dial(`ws://127.0.0.1:${wire.port}/`, { yamux: near });
    return { wire, nearSession, farSession: await accepted };
  };

  async #listen(listener: Server): Promise<Relay> {
    this.#servers.push(listener);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return relayTo((listener.address() as AddressInfo).port);
  }
}

interface Ends {
  readonly nearSession: YamuxSession;
  readonly farSession: YamuxSession;
  readonly wire: Relay;
}
