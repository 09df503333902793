// An HTTP server on the streams of sessions, as if it listened: its timeouts run, its limits hold, close() waits for what it has begun.

import { createServer, type Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerClientError } from './client-error.ts';
import { isDuplex, typeName } from './shapes.ts';

/** What serveHttp() serves: a server of node:http or node:https, also below express, fastify and the like. */
export type HttpServer = Server | SecureServer;

/** A YamuxSession, as far as serveHttp() needs one: the events 'stream' and 'close'. */
export interface StreamSession {
  /** As of an EventEmitter. */
  on(event: 'stream', listener: (stream: Duplex) => void): unknown;
  /** As of an EventEmitter. */
  on(event: 'close', listener: () => void): unknown;
  /** As of an EventEmitter. */
  off(event: 'stream', listener: (stream: Duplex) => void): unknown;
  /** As of an EventEmitter. */
  off(event: 'close', listener: () => void): unknown;
}

/** How a net.Server counts its connections, and hears that one is over. */
interface Counting {
  _connections?: number;
  _emitCloseIfDrained?: () => void;
}

/** What node:http itself does when a server begins to listen: from then on it counts connections and checks their times. */
const WHEN_LISTENING = createServer().listeners('listening');

const frontOf = new WeakMap<HttpServer, Front>();

/**
 * Serves `server` on the streams that the peer of `session` opens, as if it listened there. It need not listen anywhere else, and may; several
 * sessions may be served, now and later. Its header and request timeouts run, closeIdleConnections(), closeAllConnections(), getConnections() and
 * maxConnections know its streams, and what it answers by itself (400, 408, 413, 431) reaches the client.
 *
 * server.close() takes no more streams, and 'close' comes when those that it has are over. A session that ends is forgotten.
 *
 * @returns a function that takes no more streams of this session; those that the server has go on.
 * @throws {TypeError} if `server` is no HTTP server, or `session` no session.
 */
export function serveHttp(server: HttpServer, session: StreamSession): () => void {
  // What node:http checks while a server listens: it ends the process over one that has none of it.
  const { headersTimeout, closeIdleConnections } = Object(server) as Partial<HttpServer>;
  if (typeof headersTimeout !== 'number' || typeof closeIdleConnections !== 'function') {
    throw new TypeError(`Expected server to be an HTTP server, got ${typeName(server)}`);
  }
  const { on, off } = Object(session) as Partial<StreamSession>;
  if (typeof on !== 'function' || typeof off !== 'function' || isDuplex(session)) {
    throw new TypeError(`Expected session to be a session, got ${isDuplex(session) ? 'a stream' : typeName(session)}`);
  }
  const front = frontOf.get(server) ?? new Front(server);
  frontOf.set(server, front);
  return front.serve(session);
}

/** A server, as sessions see it. */
class Front {
  readonly #server: HttpServer & Counting;
  /** What takes each session off. */
  readonly #sessions = new Map<StreamSession, () => void>();
  /** Since the first session, or the first after a close(): as a server that listens. */
  #isOpen = false;

  constructor(server: HttpServer) {
    this.#server = server;
    // What the application has to say to a client comes first.
    server.on('clientError', (error, socket) => {
      if (server.listenerCount('clientError') === 1) answerClientError(error, socket);
    });
    this.#extendClose();
  }

  serve(session: StreamSession): () => void {
    const served = this.#sessions.get(session);
    if (served) return served;
    const take = (stream: Duplex): void => this.#take(stream);
    const stop = (): void => {
      this.#sessions.delete(session);
      session.off('stream', take);
      session.off('close', stop);
    };
    this.#open();
    this.#sessions.set(session, stop);
    session.on('close', stop);
    session.on('stream', take);
    return stop;
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    if (this.#server.listening) return;
    for (const begin of WHEN_LISTENING) begin.call(this.#server);
  }

  #take(stream: Duplex): void {
    const server = this.#server;
    const { _connections: count, maxConnections } = server;
    if (count !== undefined) {
      // Without a limit it is undefined, and this false.
      if (count >= maxConnections) {
        stream.destroy();
        server.emit('drop', addressesOf(stream as Socket));
        return;
      }
      server._connections = count + 1;
      stream.once('close', () => {
        if (server._connections !== undefined) server._connections -= 1;
        server._emitCloseIfDrained?.();
      });
    }
    server.emit('connection', stream);
  }

  /** A server that listens nowhere calls its own close() an error, and knows nothing of sessions. */
  #extendClose(): void {
    const server = this.#server;
    const { close } = server;
    server.close = (callback?: (error?: Error) => void) => {
      const wasOpen = this.#isOpen;
      this.#isOpen = false;
      for (const stop of this.#sessions.values()) stop();
      if (server.listening || !wasOpen || callback === undefined) return close.call(server, callback);
      return close.call(server.once('close', callback));
    };
  }
}

/** What the event 'drop' tells of a connection. */
function addressesOf(socket: Socket): object {
  const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = socket;
  return { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily };
}
