// Both ends of a real WebSocket over loopback TCP, and the TCP socket below the server's end.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';

export interface WsPair {
  readonly client: WebSocket;
  readonly server: WebSocket;
  readonly serverTcp: Socket;
}

const open: { readonly server: WebSocketServer; readonly pair?: WsPair }[] = [];

export async function wsPair(options: ClientOptions = {}): Promise<WsPair> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    perMessageDeflate: false,
    ...options,
  });
  const opened = once(client, 'open');
  const [accepted, request] = (await once(server, 'connection')) as [WebSocket, IncomingMessage];
  accepted.pause(); // no message may be lost while the client's end opens
  await opened;
  accepted.resume();
  const pair = { client, server: accepted, serverTcp: request.socket };
  open.push({ server, pair });
  return pair;
}

/** For afterEach: closes everything. */
export async function closePairs(): Promise<void> {
  for (const { server, pair } of open.splice(0)) {
    pair?.client.terminate();
    pair?.server.terminate();
    await new Promise((resolve) => server.close(resolve));
  }
}
