// ssh2, client and server, on connections that it did not make.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import ssh2, { type ClientChannel, type Connection } from 'ssh2';
import { onTestFinished } from 'vitest';
import type { Carrier } from './support/carrier.ts';
import { twins } from './support/twins.ts';

const hostKey = ssh2.utils.generateKeyPairSync('ed25519').private;

async function serve(carrier: Carrier, onReady: (connection: Connection) => void): Promise<void> {
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
    connection.on('error', () => {});
    connection.on('authentication', (context) => {
      if (context.method === 'password' && context.password === 'right') context.accept();
      else context.reject(['password']);
    });
    connection.on('ready', () => onReady(connection));
  });
  await carrier.serve(net.createServer((socket) => server.injectSocket(socket)));
}

async function client(sock: net.Socket, password = 'right', onClose = (): void => {}): Promise<ssh2.Client> {
  const connecting = new ssh2.Client().on('close', onClose);
  onTestFinished(() => void connecting.destroy());
  connecting.connect({ sock, username: 'me', password });
  await once(connecting, 'ready');
  connecting.on('error', () => {});
  return connecting;
}

/** Answers each command with its text, followed by its input. */
function echoing(connection: Connection): void {
  connection.on('session', (accept) => {
    accept().on('exec', (acceptExec, _reject, { command }) => {
      const channel = acceptExec();
      channel.write(`${command}: `);
      channel.on('data', (chunk: Buffer) => channel.write(chunk));
      channel.on('end', () => {
        channel.exit(7);
        channel.end();
      });
    });
  });
}

async function exec(
  connection: ssh2.Client,
  command: string,
  input: string,
): Promise<{ output: string; code: number }> {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    connection.exec(command, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  const exit = once(channel, 'exit');
  channel.end(input);
  const output = await text(channel);
  return { output, code: (await exit)[0] as number };
}

twins(
  'three concurrent commands with 200 kB each, and the end',
  async (carrier) => {
    await serve(carrier, echoing);
    const connection = await client(await carrier.dial());
    const input = randomBytes(100_000).toString('hex');
    const results = await Promise.all(['one', 'two', 'three'].map((command) => exec(connection, command, input)));
    const closed = once(connection, 'close');
    connection.end();
    await closed;
    return results.map(({ output, code }) => [output.slice(0, output.indexOf(':')), output.endsWith(input), code]);
  },
  [
    ['one', true, 7],
    ['two', true, 7],
    ['three', true, 7],
  ],
);

twins(
  'a wrong password',
  async (carrier) => {
    await serve(carrier, () => {});
    return client(await carrier.dial(), 'wrong').then(
      () => 'let in',
      (error: Error & { level?: string }) => error.level,
    );
  },
  'client-authentication',
);

twins(
  'a server that goes away closes the client',
  async (carrier) => {
    await serve(carrier, (connection) => connection.end());
    const socket = await carrier.dial();
    return new Promise((resolve, reject) => {
      client(socket, 'right', () => resolve('closed')).catch(reject);
    });
  },
  'closed',
);

twins(
  'bytes that are not SSH are refused',
  async (carrier) => {
    await carrier.serve(net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(500))));
    return client(await carrier.dial()).then(
      () => 'let in',
      (error: Error & { level?: string }) => error.level,
    );
  },
  'protocol',
);
