// A port for HTTP, or HTTPS where there is a certificate, as node:http serves it: with limits, and with nothing that it decides by itself where we
// know better.
import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Certificate } from './certificate.ts';
import { ignoresUpgrade } from './without-upgrade.ts';

/** Longer than any proxy or client in front keeps an idle connection, so that they close it and no request meets a closing one. */
const KEEP_ALIVE_TIMEOUT = 75_000;
/** How often node:http looks for heads that are late; its own default is longer than our limit. */
const HEADERS_CHECK_INTERVAL = 5_000;

/** From Node 24.9 on it asks, and a request whose upgrade is ignored comes as any other. Before that, see putBack(). */
const shouldUpgradeCallback = (request: IncomingMessage): boolean => !ignoresUpgrade(request);

export interface PublicServerOptions {
  /** Milliseconds for the head of a request, and for a TLS handshake. */
  readonly headersTimeout: number;
  readonly maxHeaderSize: number;
  readonly certificate: Certificate | undefined;
}

export interface PublicServer {
  readonly server: Server;
  /** The event by which it tells of a connection that speaks HTTP. */
  readonly connectionEvent: 'connection' | 'secureConnection';
  /** Ends every connection but those that were upgraded. */
  cut(): void;
}

export function publicServer({ headersTimeout, maxHeaderSize, certificate }: PublicServerOptions): PublicServer {
  const options: ServerOptions = {
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    headersTimeout,
    connectionsCheckingInterval: HEADERS_CHECK_INTERVAL,
    maxHeaderSize,
    requestTimeout: 0, // a large upload takes as long as it takes; one that stops moving meets idleTimeout
    noDelay: true,
    ...{ shouldUpgradeCallback },
  };
  if (certificate === undefined) {
    const server = withOwnRules(createServer(options));
    return { server, connectionEvent: 'connection', cut: () => server.closeAllConnections() };
  }
  const tls = {
    ...options,
    ...certificate,
    ALPNProtocols: ['http/1.1', 'http/1.0'],
    handshakeTimeout: headersTimeout,
    allowHalfOpen: true,
  };
  const server = withOwnRules(createTlsServer(tls));
  const handshaking = handshakesOf(server);
  const cut = (): void => {
    server.closeAllConnections(); // those that node:http knows
    for (const socket of handshaking.values()) socket.destroy();
  };
  return { server, connectionEvent: 'secureConnection', cut };
}

function withOwnRules<Kind extends Server>(server: Kind): Kind {
  // What is beyond node:http's own limit would vanish without a word. How many there may be is for the exchange to say.
  server.maxHeadersCount = 0;
  // A client that has said all it has to say still wants its answer.
  return Object.assign(server, { httpAllowHalfOpen: true });
}

/**
 * Connections that have not got as far as HTTP: a client that dials and says nothing never does, and the server's close() waits for it. By
 * their peer, which is all that a socket and the TLSSocket on it visibly have in common.
 */
function handshakesOf(server: Server): ReadonlyMap<string, Socket> {
  const peer = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  const handshaking = new Map<string, Socket>();
  server.on('connection', (socket) => {
    const from = peer(socket);
    handshaking.set(from, socket);
    socket.once('close', () => handshaking.delete(from));
  });
  server.on('secureConnection', (socket: Socket) => handshaking.delete(peer(socket)));
  return handshaking;
}
