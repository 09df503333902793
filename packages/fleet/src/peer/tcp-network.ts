// Peers over TCP, or over TLS with certificates on both sides.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, isIP, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { NodeRecord } from '../directory/directory.ts';
import type { InboundConnection, PeerListener, PeerNetwork } from './network.ts';

/** Certificates of a node: PEM. */
export interface PeerTls {
  /** The certificate of this node, for its `name`, for both sides of a connection. */
  readonly cert: string | Buffer;
  /** The private key of the certificate. */
  readonly key: string | Buffer;
  /** The authority that signs the certificates of the nodes, and no others. */
  readonly ca: string | Buffer;
}

/** The address of the peer port. */
export interface ListenAddress {
  /**
   * An address of this machine.
   * @defaultValue '127.0.0.1'
   */
  readonly host?: string | undefined;
  /** The port; 0 for any free port. */
  readonly port: number;
}

export class TcpNetwork implements PeerNetwork {
  readonly #address: ListenAddress;
  readonly #tls: PeerTls | undefined;

  constructor(address: ListenAddress, tls: PeerTls | undefined) {
    this.#address = address;
    this.#tls = tls;
  }

  async listen(accepted: (connection: InboundConnection) => void): Promise<PeerListener> {
    const server = this.#tls === undefined ? plainServer(accepted) : tlsServer(this.#tls, accepted);
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    // Each process has its own peer port, even if several processes share the client port (node:cluster).
    server.listen({ ...this.#address, exclusive: true });
    await once(server, 'listening');
    return {
      port: (server.address() as AddressInfo).port,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          for (const socket of sockets) socket.destroy();
        }),
    };
  }

  async dial(node: NodeRecord, signal: AbortSignal): Promise<Duplex> {
    const address = addressOf(node.address);
    const socket = this.#tls === undefined ? connect(address) : tlsSocket(this.#tls, node.name, address);
    socket.setNoDelay(true);
    const abort = (): void => void socket.destroy();
    signal.addEventListener('abort', abort);
    try {
      await once(socket, this.#tls === undefined ? 'connect' : 'secureConnect', { signal });
    } catch (error) {
      socket.on('error', () => {});
      socket.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
    return socket;
  }
}

function plainServer(accepted: (connection: InboundConnection) => void): Server {
  return createServer({ allowHalfOpen: true }, (socket) => accepted({ socket, mayBe: () => true }));
}

function tlsServer(tls: PeerTls, accepted: (connection: InboundConnection) => void): Server {
  const options = { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' } as const;
  const server = createTlsServer(options, (socket: TLSSocket) => {
    const certificate = socket.getPeerCertificate();
    accepted({ socket, mayBe: (name) => checkServerIdentity(name, certificate) === undefined });
  });
  // The peer has no valid certificate; its connection has ended already.
  server.on('tlsClientError', () => {});
  return server;
}

function tlsSocket(tls: PeerTls, name: string, address: { host: string; port: number }): TLSSocket {
  return connectTls({
    ...address,
    ...tls,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    minVersion: 'TLSv1.3',
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  });
}

/** `host:port`, with an IPv6 address in brackets or without. */
export function addressOf(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(address.slice(colon + 1)) };
}
