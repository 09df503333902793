// Ways between two sessions.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Duplex, Transform } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer, WebSocket as WsClient } from 'ws';

/** Passes bytes on in pieces of `size`, as any connection may. */
export function cut(size: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      for (let at = 0; at < chunk.length; at += size) this.push(chunk.subarray(at, at + size));
      callback();
    },
  });
}

/** Two sessions in one process, chunk by chunk, or in pieces of `size`. */
export function join(one: Duplex, other: Duplex, size?: number): void {
  if (size === undefined) one.pipe(other).pipe(one);
  else one.pipe(cut(size)).pipe(other).pipe(cut(size)).pipe(one);
}

/** Lets what is under way in this process come out, loopback TCP too. */
export async function turns(count = 50): Promise<void> {
  for (let done = 0; done < count; done += 1) await turn();
}

/** A port at which `serve` gets each connection, until the test is over. */
export async function listening(serve: (socket: Socket) => void): Promise<number> {
  const listener = createServer((socket) => {
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    serve(socket);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  return (listener.address() as AddressInfo).port;
}

/** A connection to it. */
export function dialed(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Both ends of a WebSocket over loopback TCP: of who dialed, and of who was dialed. */
export async function webSockets(): Promise<{ readonly near: WebSocket; readonly far: WebSocket }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const near = new WsClient(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const opened = once(near, 'open');
  const [far] = (await once(server, 'connection')) as [WebSocket];
  far.pause(); // nothing may be lost while the other end opens
  onTestFinished(() => {
    near.terminate();
    far.terminate();
    server.close();
  });
  await opened;
  far.resume();
  return { near, far };
}
