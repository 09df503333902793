// A session of ours and a session of the Go peer, over one connection on 127.0.0.1.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { client, type SessionOptions, server, type YamuxSession } from '../../src/index.ts';
import type { GoConfig, GoPeer, GoSession, Role } from './go-peer.ts';

export interface Connection {
  readonly ours: YamuxSession;
  readonly go: GoSession;
}

/** Brings both together over a transport of some kind: we are `role`, with these options, and Go is the other. */
export type Connect = (role: Role, peer: GoPeer, options?: SessionOptions, config?: GoConfig) => Promise<Connection>;

/** The server of the two listens. */
export const connectOverTcp: Connect = async (role, peer, options = {}, config = {}) => {
  const { socket, go } = await connectSocket(role, peer, config);
  return { ours: (role === 'client' ? client : server)(socket, options), go };
};

export const connectOverTls: Connect = (role, peer, options, config) =>
  connectOverTcp(role, peer, options, { ...config, transport: 'tls' });

/** Only the Go peer has a session; what it hears and says is the test's own matter. */
export function connectSocket(
  role: Role,
  peer: GoPeer,
  config: GoConfig = {},
): Promise<{ readonly socket: Socket; readonly go: GoSession }> {
  return role === 'client' ? connectToGo(peer, config) : connectFromGo(peer, config);
}

async function connectToGo(peer: GoPeer, config: GoConfig): Promise<{ socket: Socket; go: GoSession }> {
  const { port, session: go } = await peer.listen('server', config);
  if (config.transport === 'tls') {
    const { cert } = await peer.identity();
    const socket = tlsConnect({ port, host: '127.0.0.1', ca: cert });
    await once(socket, 'secureConnect');
    return { socket, go };
  }
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return { socket, go };
}

async function connectFromGo(peer: GoPeer, config: GoConfig): Promise<{ socket: Socket; go: GoSession }> {
  const isTls = config.transport === 'tls';
  const listener: Server = isTls ? createTlsServer(await peer.identity()) : createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const [[socket], go] = await Promise.all([
    once(listener, isTls ? 'secureConnection' : 'connection'),
    peer.dial(port, 'client', config),
  ]);
  listener.close();
  return { socket: socket as Socket, go };
}
