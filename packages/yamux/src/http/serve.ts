// An HTTP server on the streams of sessions. It behaves as if it listened: its timeouts run, its limits hold, and close() waits for open requests.

import { createServer, type Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerClientError } from './client-error.ts';
import { isDuplex, typeName } from './shapes.ts';

/** A server of node:http or node:https, also one of express, fastify and similar frameworks. */
export type HttpServer = Server | SecureServer;

/** The part of a YamuxSession that serveHttp() needs: the events 'stream' and 'close'. */
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

/** The members by which a net.Server counts its connections and learns that one has closed. */
interface Counting {
  _connections?: number;
  _emitCloseIfDrained?: () => void;
}

/** The internal step of node:http when a server begins to listen. From then on the server tracks connections and checks timeouts. */
const WHEN_LISTENING = createServer().listeners('listening');

const frontOf = new WeakMap<HttpServer, Front>();

/**
 * Lets `server` serve the streams that the peer of `session` opens, as if it listened there. The server may also listen elsewhere, and may serve
 * several sessions. Its header and request timeouts run. closeIdleConnections(), closeAllConnections(), getConnections() and maxConnections
 * include the streams. The server's own responses (400, 408, 413, 431) reach the client.
 *
 * After server.close() the server accepts no more streams, and emits 'close' when its open streams have ended.
 *
 * @returns a function that stops accepting streams of this session; open streams continue.
 * @throws {TypeError} if `server` is not an HTTP server, or `session` not a session.
 */
export function serveHttp(server: HttpServer, session: StreamSession): () => void {
  // node:http uses these members while a server listens, and aborts the process if they are missing.
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

/** A server and its sessions. */
class Front {
  readonly #server: HttpServer & Counting;
  /** For each session the function that detaches it. */
  readonly #sessions = new Map<StreamSession, () => void>();
  /** Whether the server acts as one that listens: since the first session, or the first after close(). */
  #isOpen = false;

  constructor(server: HttpServer) {
    this.#server = server;
    // A listener of the application has precedence.
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

  /** close() of a server that does not listen reports an error, and does not know sessions. */
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

/** The data of the event 'drop'. */
function addressesOf(socket: Socket): object {
  const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = socket;
  return { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily };
}
