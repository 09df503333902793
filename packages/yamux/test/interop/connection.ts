// A session of ours and a session of the Go peer, over one TCP connection on 127.0.0.1.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { client, type SessionOptions, server, type YamuxSession } from '../../src/index.ts';
import type { GoPeer, GoSession, Role } from './go-peer.ts';

export interface Connection {
  readonly ours: YamuxSession;
  readonly go: GoSession;
}

/** We are `role`, with these options. The server of the two listens. */
export function connectAs(role: Role, peer: GoPeer, options: SessionOptions = {}): Promise<Connection> {
  return role === 'client' ? connectToGo(peer, options) : connectFromGo(peer, options);
}

async function connectToGo(peer: GoPeer, options: SessionOptions): Promise<Connection> {
  const { port, session: go } = await peer.listen('server');
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return { ours: client(socket, options), go };
}

async function connectFromGo(peer: GoPeer, options: SessionOptions): Promise<Connection> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const [[socket], go] = await Promise.all([once(listener, 'connection'), peer.dial(port, 'client')]);
  listener.close();
  return { ours: server(socket as Socket, options), go };
}
