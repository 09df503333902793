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

/** We are `role`, with these options. The server of the two listens. */
export async function connectAs(
  role: Role,
  peer: GoPeer,
  options: SessionOptions = {},
  config: GoConfig = {},
): Promise<Connection> {
  const { socket, go } = await connectSocket(role, peer, config);
  return { ours: (role === 'client' ? client : server)(socket, options), go };
}

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
  if (config.tls) {
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
  const listener: Server = config.tls ? createTlsServer(await peer.identity()) : createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const [[socket], go] = await Promise.all([
    once(listener, config.tls ? 'secureConnection' : 'connection'),
    peer.dial(port, 'client', config),
  ]);
  listener.close();
  return { socket: socket as Socket, go };
}
