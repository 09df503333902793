// Carries the bytes of a library over TCP or over the streams of a session, with the same interface.

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { client, type SessionOptions, server, type YamuxSession } from '@zishuo/yamux';
import { httpAgent, serveHttp } from '@zishuo/yamux/http';
import { onTestFinished } from 'vitest';

export type Kind = 'TCP' | 'streams';

/** Options of the sockets, and of the sessions below the streams. */
export interface CarrierOptions extends SessionOptions {
  /** For the connections of both sides. True by default, as for streams and for the sockets of an HTTP server. */
  readonly allowHalfOpen?: boolean | undefined;
}

export interface Carrier {
  readonly kind: Kind;
  /** Serves `target`, as its listen() does. */
  serve(target: net.Server): Promise<void>;
  /** A connection to the served target, ready for use. */
  dial(): Promise<net.Socket>;
  /** A connection to the served target, returned at once and still `connecting`, as by net.connect(). */
  connect(): net.Socket;
  /** The options with which http.request() reaches the served target. */
  http(options?: http.AgentOptions): { readonly host: string; readonly port: number; readonly agent: http.Agent };
  /** The session of the side that dials; undefined over TCP. */
  readonly session: YamuxSession | undefined;
  /** Ends the served target and every connection to it. */
  fail(): void;
  /** Delivers no sent byte until the returned function is called. */
  hold(): () => void;
  /** Ends everything. */
  close(): void;
}

export async function carrierOf(kind: Kind, options: CarrierOptions = {}): Promise<Carrier> {
  return kind === 'TCP' ? overTcp(options) : overStreams(options);
}

function overTcp({ allowHalfOpen = true }: CarrierOptions): Carrier {
  const dialed = new Set<net.Socket>();
  const accepted = new Set<net.Socket>();
  let listener = net.createServer();

  const keepIn = (sockets: Set<net.Socket>, socket: net.Socket): net.Socket => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    return socket;
  };
  const port = (): number => (listener.address() as net.AddressInfo).port;
  const connect = (): net.Socket => keepIn(dialed, net.connect({ port: port(), host: '127.0.0.1', allowHalfOpen }));
  const fail = (): void => {
    listener.close();
    for (const socket of accepted) {
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  };
  return {
    kind: 'TCP',
    session: undefined,
    connect,
    fail,
    async serve(target) {
      // A server's option that is read for each connection.
      Object.assign(target, { allowHalfOpen });
      listener = target.on('connection', (socket) => keepIn(accepted, socket)).listen(0, '127.0.0.1');
      await once(target, 'listening');
    },
    async dial() {
      const socket = connect();
      await once(socket, 'connect');
      return socket;
    },
    http: (options) => ({ host: '127.0.0.1', port: port(), agent: new http.Agent(options) }),
    // Each connection has its own path, which is not read while its program does not read.
    hold: () => () => {},
    close() {
      fail();
      for (const socket of dialed) socket.destroy();
    },
  };
}

async function overStreams(options: CarrierOptions): Promise<Carrier> {
  const { below, near, far } = await sessionsOverTcp(options);
  return {
    kind: 'streams',
    session: near,
    async serve(target) {
      if (target instanceof http.Server || target instanceof https.Server) serveHttp(target, far);
      else far.on('stream', (stream) => target.emit('connection', stream));
    },
    async dial() {
      const stream: Duplex = await near.open();
      return stream as net.Socket;
    },
    connect() {
      const stream: Duplex = near.connect();
      return stream as net.Socket;
    },
    http: (agentOptions) => ({ host: 'inside.example', port: 80, agent: httpAgent(near, agentOptions) }),
    fail: () => far.destroy(),
    hold() {
      below.pause();
      return () => void below.resume();
    },
    close() {
      near.destroy();
      far.destroy();
    },
  };
}

async function sessionsOverTcp(options: CarrierOptions): Promise<{
  /** The socket of the far session. */
  below: net.Socket;
  near: YamuxSession;
  far: YamuxSession;
}> {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const dialed = net.connect((listener.address() as net.AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(listener, 'connection')) as [net.Socket];
  listener.close();
  onTestFinished(() => {
    dialed.destroy();
    accepted.destroy();
  });
  const near = client(dialed, options);
  const far = server(accepted, options);
  // Some fixtures test the end of a session; each library sees it by its streams.
  near.on('error', () => {});
  far.on('error', () => {});
  return { below: accepted, near, far };
}
