// node:tls over a connection that it did not make: successful handshakes, and each way in which one is refused.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type net from 'node:net';
import tls from 'node:tls';
import { expect } from 'vitest';
import type { Carrier } from './support/carrier.ts';
import { certificate, NAME } from './support/certificate.ts';
import { turns, twins } from './support/twins.ts';

const { cert, key } = await certificate();

async function serve(
  carrier: Carrier,
  options: tls.TlsOptions,
  onSecure: (socket: tls.TLSSocket) => void = () => {},
): Promise<{ server: tls.Server; refusals: string[] }> {
  const server = tls.createServer({ cert, key, ...options }, onSecure);
  const refusals: string[] = [];
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => refusals.push(error.code ?? error.message));
  await carrier.serve(server);
  return { server, refusals };
}

const secure = (socket: net.Socket, options: tls.ConnectionOptions = {}): tls.TLSSocket =>
  tls.connect({ socket, ca: cert, servername: NAME, ...options });

/** Awaits the handshake as applications do: afterwards the socket has no error listener. */
async function handshake(socket: tls.TLSSocket): Promise<string> {
  return once(socket, 'secureConnect').then(
    () => 'secure',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
}

/** All text received until the end. (A consumer of node:stream would destroy the socket then, and lose unsent data.) */
async function received(socket: tls.TLSSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

/** The codes of all errors of a socket whose handshake fails. (In TLS 1.3 it is secure by then, and ends by itself.) */
async function errorsOf(socket: tls.TLSSocket): Promise<string[]> {
  const errors: string[] = [];
  socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? error.message));
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve).once('end', resolve));
  await turns();
  return errors;
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const only = { minVersion: version, maxVersion: version };

  twins(
    `${version}: ALPN, the peer's certificate, a megabyte each way and a clean end`,
    async (carrier) => {
      const payload = randomBytes(1_000_000);
      let there: Promise<boolean> | undefined;
      await serve(carrier, { ...only, ALPNProtocols: ['second', 'first'] }, (socket) => {
        there = received(socket).then((bytes) => bytes.equals(payload));
        socket.end(payload);
      });
      const socket = secure(await carrier.dial(), { ...only, ALPNProtocols: ['first'] });
      await once(socket, 'secureConnect');
      const { alpnProtocol, authorized } = socket;
      const protocol = socket.getProtocol();
      socket.end(payload);
      const back = (await received(socket)).equals(payload);
      return { back, there: await there, protocol, alpnProtocol, authorized };
    },
    { back: true, there: true, protocol: version, alpnProtocol: 'first', authorized: true },
  );

  twins(
    `${version}: a client without the required certificate gets one error, the alert`,
    async (carrier) => {
      const { refusals } = await serve(carrier, { ...only, ca: cert, requestCert: true, rejectUnauthorized: true });
      const socket = secure(await carrier.dial(), only);
      const [client, ...behind] = await errorsOf(socket);
      // The server destroys its side, which sends an RST on a stream. A TLS 1.3 client is connected by then, keeps its side open, and gets the error.
      expect(behind.filter((code) => version !== 'TLSv1.3' || code !== 'ERR_YAMUX_STREAM_RESET')).toEqual([]);
      return { client, server: refusals };
    },
    {
      client: expect.stringMatching(/ALERT_(HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED)$/),
      server: ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    },
  );

  twins(
    `${version}: code that only awaits a handshake, which is refused for its protocols, gets no uncaught exception after it`,
    async (carrier) => {
      const { refusals } = await serve(carrier, { ...only, ALPNProtocols: ['one'] });
      const client = await handshake(secure(await carrier.dial(), { ...only, ALPNProtocols: ['other'] }));
      await turns();
      return { client, server: refusals };
    },
    {
      client: expect.stringMatching(/ALERT_NO_APPLICATION_PROTOCOL$/),
      server: [expect.stringMatching(/NO_APPLICATION_PROTOCOL/)],
    },
  );

  twins(
    `${version}: a client that does not trust the server gets one error`,
    async (carrier) => {
      await serve(carrier, only);
      return errorsOf(secure(await carrier.dial(), { ...only, ca: [] }));
    },
    ['DEPTH_ZERO_SELF_SIGNED_CERT'],
  );
}

twins(
  'no common version: one error at each end',
  async (carrier) => {
    const { refusals } = await serve(carrier, { minVersion: 'TLSv1.3' });
    return { client: await errorsOf(secure(await carrier.dial(), { maxVersion: 'TLSv1.2' })), server: refusals };
  },
  { client: [expect.stringMatching(/ALERT_PROTOCOL_VERSION$/)], server: ['ERR_SSL_UNSUPPORTED_PROTOCOL'] },
);

twins(
  'a server of another protocol: one error',
  async (carrier) => {
    const { refusals } = await serve(carrier, {});
    const socket = await carrier.dial();
    socket.on('error', () => {});
    socket.resume().end('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    return refusals;
  },
  ['ERR_SSL_HTTP_REQUEST'],
);

twins(
  'a session of an earlier connection is resumed',
  async (carrier) => {
    await serve(carrier, { maxVersion: 'TLSv1.2' }, (socket) => socket.end('hello'));
    const reused: boolean[] = [];
    let session: Buffer | undefined;
    for (let connections = 0; connections < 2; connections += 1) {
      const socket = secure(await carrier.dial(), { session });
      await once(socket, 'secureConnect');
      session = socket.getSession();
      reused.push(socket.isSessionReused());
      await received(socket.end());
    }
    return reused;
  },
  [false, true],
);

twins(
  'TLS on a connection that is still connecting',
  async (carrier) => {
    await serve(carrier, {}, (socket) => socket.end('hello'));
    const socket = secure(carrier.connect());
    return [await handshake(socket), String(await received(socket))];
  },
  ['secure', 'hello'],
);
