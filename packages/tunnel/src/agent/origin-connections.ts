// The connections of an agent to one HTTP target: kept for the next request where that is safe, and each so that nothing it says is lost.
import {
  type AgentOptions,
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { TunnelError } from '../errors.ts';
import type { Http1Way } from '../http/http1-upstream.ts';
import { watchEnd } from '../http/socket-end.ts';
import type { HttpTarget } from './targets.ts';

/** Less than most servers keep a connection on which nothing moves: node:http has 5 s. */
const IDLE = 4_000;
const CONNECT_TIMEOUT = 10_000;
const MAX_IDLE = 64;
/** Bytes of an answer's head. What the gateway takes may be less. */
const MAX_ANSWER_HEAD = 512 * 1024;

type Connect = (options: object, callback?: unknown) => Socket;

/** The members of an Agent by which it is meant to be extended, and which its types leave out. */
interface Extensible {
  createConnection: Connect;
  keepSocketAlive(socket: Socket): boolean;
  reuseSocket(socket: Socket, request: ClientRequest): void;
}

export class OriginConnections implements Http1Way {
  readonly keepsAlive = true;
  readonly maxHeaderSize: number = MAX_ANSWER_HEAD;
  readonly #kept: HttpAgent;
  readonly #fresh: HttpAgent;
  readonly #isTls: boolean;
  readonly #place: RequestOptions;

  constructor(target: HttpTarget) {
    this.#isTls = target.tls !== undefined;
    this.#place = 'socketPath' in target ? { socketPath: target.socketPath } : { host: target.host, port: target.port };
    const tls = target.tls === undefined ? {} : { ca: target.tls.ca, rejectUnauthorized: !target.tls.isInsecure };
    const AgentOf = this.#isTls ? HttpsAgent : HttpAgent;
    const options: AgentOptions = { scheduling: 'lifo', maxFreeSockets: MAX_IDLE, ...tls };
    this.#kept = keptAlive(watched(new AgentOf({ ...options, keepAlive: true })));
    this.#fresh = watched(new AgentOf({ ...options, keepAlive: false }));
  }

  request(options: RequestOptions, isFresh: boolean): ClientRequest {
    const agent = isFresh ? this.#fresh : this.#kept;
    return (this.#isTls ? httpsRequest : httpRequest)({ ...this.#place, ...options, agent });
  }

  close(): void {
    this.#kept.destroy();
    this.#fresh.destroy();
  }
}

function watched(agent: HttpAgent): HttpAgent {
  const extensible = agent as unknown as Extensible;
  const connect = extensible.createConnection.bind(agent);
  extensible.createConnection = (options, callback) => {
    const socket = connect(options, callback);
    watchEnd(socket);
    outliveFailedWrites(socket);
    limitConnecting(socket);
    return socket;
  };
  return agent;
}

/**
 * A server may answer before it has read the whole request, and close. Then writing fails while the answer lies in the socket to be read; but
 * node:net destroys a socket whose write fails. Here such a write is dropped, and the end of reading is the end of the connection.
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
  socket.once('encrypted' in socket ? 'secureConnect' : 'connect', clear).once('close', clear);
}

/** Keeps connections for as long as their server surely does, and none on which it says something that nobody asked for. */
function keptAlive(agent: HttpAgent): HttpAgent {
  const extensible = agent as unknown as Extensible;
  const keep = extensible.keepSocketAlive.bind(agent);
  const reuse = extensible.reuseSocket.bind(agent);
  const onEnd = function (this: Socket): void {
    this.destroy();
  };
  extensible.keepSocketAlive = (socket) => {
    if (!keep(socket)) return false;
    const server = socket.timeout ?? 0; // what its Keep-Alive header says
    socket.setTimeout(server > 0 ? Math.min(server, IDLE) : IDLE);
    socket.on('data', onEnd).on('timeout', onEnd);
    return true;
  };
  extensible.reuseSocket = (socket, request) => {
    socket.off('data', onEnd).off('timeout', onEnd);
    socket.setTimeout(0);
    reuse(socket, request);
  };
  return agent;
}
