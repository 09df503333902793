// The connections of an agent to one HTTP target: kept alive where that is safe, and without losing a response.
import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { TunnelError } from '../errors.ts';
import { connectEvent } from '../http/connection.ts';
import { type ConnectionOwner, Http1Connection } from '../http/http1-connection.ts';
import { type Http1Way, MAX_ANSWER_HEAD } from '../http/http1-upstream.ts';
import { watchEnd } from '../http/socket-end.ts';
import type { HttpTarget } from './targets.ts';

/** ms for which an idle connection is kept: less than most servers keep it (node:http: 5 s). */
const IDLE = 4_000;
const CONNECT_TIMEOUT = 10_000;
const MAX_IDLE = 64;

interface Kept {
  readonly connection: Http1Connection;
  /** Of performance.now(). */
  readonly until: number;
}

export class OriginConnections implements Http1Way, ConnectionOwner {
  readonly keepsAlive = true;
  readonly maxHeaderSize: number = MAX_ANSWER_HEAD;
  readonly #target: HttpTarget;
  /** The most recent one is used first, so that surplus connections of a burst can expire. */
  #kept: Kept[] = [];
  #timer: NodeJS.Timeout | undefined;
  #tlsSession: Buffer | undefined;
  #isClosed = false;

  constructor(target: HttpTarget) {
    this.#target = target;
  }

  connect(isFresh: boolean): Http1Connection {
    while (!isFresh) {
      const kept = this.#kept.pop();
      if (kept === undefined) break;
      if (kept.connection.isPersistent) return kept.connection; // a connection that has died may not have reported it yet
    }
    return new Http1Connection(this.#open(), this);
  }

  keep(connection: Http1Connection): void {
    const time = Math.min(IDLE, timeIn(connection.keepAlive));
    if (this.#isClosed || this.#kept.length >= MAX_IDLE || time === 0) {
      connection.destroy();
      return;
    }
    this.#kept.push({ connection, until: performance.now() + time });
    this.#timer ??= setTimeout(this.#endIdle, time).unref();
  }

  onIdleEnd(connection: Http1Connection): void {
    const index = this.#kept.findIndex((kept) => kept.connection === connection);
    if (index >= 0) this.#kept.splice(index, 1);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const kept = this.#kept;
    this.#kept = [];
    for (const { connection } of kept) connection.destroy();
  }

  /** Ends those whose time is over. */
  readonly #endIdle = (): void => {
    const now = performance.now();
    const late = this.#kept.filter(({ until }) => until <= now);
    this.#kept = this.#kept.filter(({ until }) => until > now);
    for (const { connection } of late) connection.destroy();
    const next = Math.min(...this.#kept.map(({ until }) => until));
    this.#timer = this.#kept.length === 0 ? undefined : setTimeout(this.#endIdle, Math.ceil(next - now)).unref();
  };

  #open(): Socket {
    const { host, port, socketPath, tls } = this.#target;
    const place = socketPath === undefined ? { host, port } : { path: socketPath };
    const socket = tls === undefined ? connect({ ...place, noDelay: true }) : this.#openTls(place, tls);
    watchEnd(socket);
    outliveFailedWrites(socket);
    limitConnecting(socket);
    return socket;
  }

  #openTls(place: ConnectionOptions, { ca, isInsecure }: NonNullable<HttpTarget['tls']>): Socket {
    const { host } = this.#target;
    const options: ConnectionOptions = { ...place, rejectUnauthorized: !isInsecure, ALPNProtocols: ['http/1.1'] };
    if (ca !== undefined) options.ca = ca;
    if (isIP(host) === 0) options.servername = host;
    if (this.#tlsSession !== undefined) options.session = this.#tlsSession;
    const socket = connectTls(options);
    socket.setNoDelay(true);
    socket.on('session', (session) => {
      this.#tlsSession = session;
    });
    return socket;
  }
}

/** Milliseconds that the server keeps it, as its Keep-Alive field says; Infinity where it says nothing. */
function timeIn(keepAlive: string | undefined): number {
  const [, seconds] = /(?:^|[,\s])timeout=(\d+)/i.exec(keepAlive ?? '') ?? [];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1_000;
}

/**
 * A server may answer before it has read the whole request, and close. Then a write fails while the response is still unread in the socket, but node:net
 * destroys a socket whose write fails. This class ignores failed writes, and ends the connection at the end of the input.
 */
function outliveFailedWrites(socket: Socket): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, callback) => write(chunk, encoding, () => callback());
  if (writev !== undefined) socket._writev = (chunks, callback) => writev(chunks, () => callback());
}

function limitConnecting(socket: Socket): void {
  const timer = setTimeout(() => {
    const message = `the target did not take a connection within ${CONNECT_TIMEOUT} ms`;
    socket.destroy(new TunnelError('ERR_TUNNEL_TARGET_TIMEOUT', message));
  }, CONNECT_TIMEOUT).unref();
  const clear = (): void => clearTimeout(timer);
  socket.once(connectEvent(socket), clear).once('close', clear);
}
