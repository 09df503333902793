// TCP on 127.0.0.1, the same for every implementation.

import { once } from 'node:events';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import type { Listening } from '../implementation.ts';

const HOST = '127.0.0.1';

export async function listenOnLoopback(server: Server): Promise<Listening> {
  // On a busy machine 100 connections at once can fill the default backlog of 511.
  server.listen({ port: 0, host: HOST, backlog: 4096 });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export async function dialLoopback(port: number, allowHalfOpen = false): Promise<Socket> {
  const socket = connect({ port, host: HOST, noDelay: true, allowHalfOpen });
  await once(socket, 'connect');
  return socket;
}
