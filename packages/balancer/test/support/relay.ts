// A wire between two ends that a test may freeze, as a network that swallows everything does, or cut.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Relay {
  readonly port: number;
  /** Nothing passes, in either direction, and nobody is told. */
  freeze(): void;
  thaw(): void;
  /** Both ends see a reset. */
  cut(): void;
  /** Both ends see the other one end, as when a process is killed. */
  hangUp(): void;
  /** To the end that dialed, as if the other one had sent it. */
  inject(bytes: Buffer): void;
  close(): Promise<void>;
}

/** Of one connection. */
export async function relayTo(port: number): Promise<Relay> {
  const sockets: Socket[] = [];
  // Without its delays: Nagle's and the delayed ACK of a relay are 40 ms for each small frame.
  const server: Server = createServer({ noDelay: true }, (inbound) => {
    const outbound = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(inbound, outbound);
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      from.on('data', (chunk: Buffer) => to.write(chunk));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      for (const socket of sockets) socket.resume();
    },
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    hangUp: () => {
      for (const socket of sockets) socket.destroy();
    },
    inject: (bytes) => void sockets[0]?.write(bytes),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
