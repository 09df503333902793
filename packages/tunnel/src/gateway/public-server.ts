// A server of node:http for HTTP, or of node:https with a certificate: with limits, and without the defaults that do not suit a proxy.
import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Certificate } from './certificate.ts';
import { ignoresUpgrade } from './without-upgrade.ts';

/** Longer than proxies and clients keep an idle connection: so they close it, and no request meets a closing connection. */
const KEEP_ALIVE_TIMEOUT = 75_000;
/** ms between node:http's checks for late heads; its default is longer than our limit. */
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
    requestTimeout: 0, // a large upload may take any time; idleTimeout ends one that stops
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
    server.closeAllConnections(); // the connections that node:http tracks
    for (const socket of handshaking.values()) socket.destroy();
  };
  return { server, connectionEvent: 'secureConnection', cut };
}

function withOwnRules<Kind extends Server>(server: Kind): Kind {
  // Headers above node:http's own limit would be dropped silently. The exchange checks their number instead.
  server.maxHeadersCount = 0;
  // A client that has ended its side still waits for the response.
  return Object.assign(server, { httpAllowHalfOpen: true });
}

/**
 * Connections without a request so far: a client that connects and sends nothing stays here, and the server's close() waits for it. The key is the
 * address of the peer, the only fact that a socket and its TLSSocket share.
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
