// A tunnel as synthetic tests use it: a machine behind NAT dials a service by WebSocket; on each stream that the service opens it serves SSH, and
// the service asks it by "direct-tcpip" for connections to what only that machine reaches.

import http from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { client } from '@zishuo/yamux';
import ssh2, { type ClientChannel, type Connection } from 'ssh2';
import { onTestFinished } from 'vitest';
import { createWebSocketStream, type WebSocket } from 'ws';
import type { YamuxJs } from '../support/implementations.ts';
import { webSockets } from '../support/links.ts';

export interface Seen {
  /** Bytes of each body that came whole; 'cut' for others. */
  readonly bodies: readonly (number | 'cut')[];
  readonly warnings: readonly string[];
}

// As those tunnels do: the timer of a connection would outlive a stream that does not tell its end.
ssh2.Server.KEEPALIVE_CLIENT_INTERVAL = 0;
const hostKey: string = ssh2.utils.generateKeyPairSync('ed25519').private;

/** The machine behind NAT. */
function tunnel(socket: WebSocket, { Server }: YamuxJs, warn: (warning: string) => void): InstanceType<typeof Server> {
  const session = new Server(
    (stream) => {
      stream.on('error', (error: Error) => warn(`stream: ${error.message}`));
      const ssh = new ssh2.Server({ hostKeys: [hostKey], highWaterMark: 255 * 1024 }, (connection) => {
        connection.on('error', (error) => warn(`ssh: ${error.message}`));
        connection.on('authentication', (context) => context.accept());
        connection.on('ready', () => forward(connection));
      });
      ssh.injectSocket(stream as unknown as Socket);
    },
    { acceptBacklog: 2048, enableKeepAlive: false, logger: () => {} },
  );
  const duplex = createWebSocketStream(socket, { readableHighWaterMark: 65_536, writableHighWaterMark: 65_536 });
  session.on('error', (error) => warn(`session: ${error.message}`));
  duplex.on('error', (error) => warn(`WebSocket: ${error.message}`));
  pipeline(duplex, session, () => {});
  pipeline(session, duplex, () => {});
  return session;
}

function forward(connection: Connection): void {
  connection.on('tcpip', (accept, _reject, { destIP, destPort }) => {
    const to = new Socket();
    to.on('error', () => {});
    to.on('connect', () => {
      const from = accept();
      pipeline(to, from, () => {});
      pipeline(from, to, () => {});
      from.on('close', () => to.destroy());
    });
    to.connect(destPort, destIP);
  });
}

export function sshTunnel(sizes: readonly number[]): (yamux: YamuxJs) => Promise<Seen> {
  return async (yamux) => {
    const inside = http.createServer(({ url }, response) => {
      response.end(Buffer.alloc(Number(url?.slice(1)), 'body'));
    });
    inside.listen(0, '127.0.0.1');
    onTestFinished(() => {
      inside.closeAllConnections();
      inside.close();
    });
    const { near, far } = await webSockets();
    const warnings: string[] = [];
    tunnel(near, yamux, (warning) => warnings.push(warning));

    const session = client(createWebSocketStream(far), { keepAliveInterval: 0 });
    session.on('error', () => {});
    const sock = await session.open();
    sock.on('error', () => {});
    const connection = new ssh2.Client();
    connection.on('error', () => {});
    await new Promise((resolve) => {
      connection.on('ready', () => resolve(undefined)).connect({ sock, username: 'a-test' });
    });
    const { port } = inside.address() as AddressInfo;
    const bodies = await Promise.all(sizes.map((size) => get(connection, port, size)));
    session.destroy();
    return { bodies, warnings };
  };
}

async function get(connection: ssh2.Client, port: number, size: number): Promise<number | 'cut'> {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    connection.forwardOut('127.0.0.1', 1, '127.0.0.1', port, (error, opened) =>
      error ? reject(error) : resolve(opened),
    );
  });
  channel.write(`GET /${size} HTTP/1.1\r\nHost: inside.example\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of channel as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    const answer = Buffer.concat(chunks);
    if (answer.length - answer.indexOf('\r\n\r\n') - 4 >= size) return size;
  }
  return 'cut';
}
