import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dial } from '../src/dial.ts';
import { describeFailure, describeRefusal } from '../src/dial-failure.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers the first bytes of every connection with `answer`, and ends it. */
const answering = (bytes: string | Buffer): Promise<string> =>
  listening(
    createServer((socket: Socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(bytes));
    }),
  );

const messageOf = (url: string): Promise<string> =>
  dial(url).then(
    () => expect.fail('was opened'),
    ({ message }: Error) => message,
  );

describe('the error of a dial to the wrong port says in one line what to change', () => {
  it('wss: to a port without TLS', async () => {
    const host = await answering('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await messageOf(`wss://${host}/`)).toBe(
      `Could not open a WebSocket to ${host}: TLS failed, wrong version number (the server does not speak TLS on this port: use ws:, or the port that does)`,
    );
  });

  it('ws: to a port of Node that speaks TLS', async () => {
    const host = await listening(createTlsServer({}));
    expect(await messageOf(`ws://${host}/`)).toBe(
      `Could not open a WebSocket to ${host}: socket hang up (the server ended the connection without an answer, as a port that speaks TLS does: try wss:)`,
    );
  });

  it('ws: to a port that answers by a TLS alert', async () => {
    const host = await answering(Buffer.from([0x15, 3, 1, 0, 2, 2, 70]));
    expect(await messageOf(`ws://${host}/`)).toMatch(/ \(the server speaks TLS on this port: use wss:\)$/);
  });

  it('ws: to a port for TLS that answers in plain HTTP', async () => {
    const host = await answering(
      'HTTP/1.1 400 Bad Request\r\nContent-Length: 48\r\n\r\nClient sent an HTTP request to an HTTPS server.\n',
    );
    expect(await messageOf(`ws://${host}/`)).toBe(
      'The server refused the upgrade with HTTP status 400 (Client sent an HTTP request to an HTTPS server.): the server speaks TLS on this port: use wss:',
    );
  });

  it('a port that speaks another protocol', async () => {
    const host = await answering('SSH-2.0-server\r\n');
    expect(await messageOf(`ws://${host}/`)).toMatch(
      / \(the server does not speak HTTP on this port: check the port\)$/,
    );
  });
});

describe('the message of a failed dial', () => {
  const failure = (code: string, message = code): string =>
    describeFailure(new URL('wss://gateway.example/connect?token=secret'), Object.assign(new Error(message), { code }));

  it.each([
    ['ECONNREFUSED', 'nothing listens there: check host and port, and that the server runs'],
    ['ENOTFOUND', 'the host name has no address: check the URL'],
    [
      'CERT_HAS_EXPIRED',
      'the certificate is not trusted: pass its CA as ws: { ca }, or dial the name in the certificate',
    ],
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'the certificate is not trusted: pass its CA as ws: { ca }, or dial the name in the certificate',
    ],
  ])('advises after %s', (code, advice) => {
    expect(failure(code)).toBe(`Could not open a WebSocket to gateway.example: ${code} (${advice})`);
  });

  it('gives no advice that may be wrong: a server that sends a TLS alert speaks TLS', () => {
    const message =
      'write EPROTO 80:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:a.c:1:\n';
    expect(failure('EPROTO', message)).toBe(
      'Could not open a WebSocket to gateway.example: TLS failed, sslv3 alert handshake failure',
    );
  });

  it('is the code if Node gives no message, and one line if Node gives several', () => {
    expect(failure('ETIMEDOUT', '')).toBe('Could not open a WebSocket to gateway.example: ETIMEDOUT');
    expect(failure('EX', 'one\ntwo')).toBe('Could not open a WebSocket to gateway.example: one');
  });
});

describe('the message of a refused upgrade', () => {
  it.each([
    [401, {}, 'bad token\n', '401 (bad token): check the credentials in headers'],
    [403, {}, '', '403 (Forbidden): check the credentials in headers'],
    [404, {}, '<html>\n', '404 (Not Found): the server accepts no WebSockets at this path: check the path of the URL'],
    [
      302,
      { location: '/login' },
      '',
      '302 (Found): the server redirects to /login: dial that URL, or set ws: { followRedirects: true }',
    ],
    [
      407,
      {},
      '',
      '407 (Proxy Authentication Required): the proxy requires credentials: give them to the agent in ws: { agent }',
    ],
    [200, {}, '{"a":1}', '200 (OK): the server does not accept WebSockets at this URL: check host, port and path'],
    [
      400,
      {},
      'no\u0007',
      '400 (Bad Request): the server does not accept the request: check the URL, subprotocols and headers',
    ],
    [503, {}, 'draining\n', '503 (draining): dial again later'],
    [530, {}, '', '530: dial again later'],
  ])('with status %i and %j', (status, headers, body, rest) => {
    expect(describeRefusal(status, headers, body)).toBe(`The server refused the upgrade with HTTP status ${rest}`);
  });
});
