// Real servers and clients on 127.0.0.1, with nothing left running after a test.
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { pipeline, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export async function listen(handler: RequestListener, expectContinue?: RequestListener): Promise<number> {
  const server = createServer(handler);
  if (expectContinue !== undefined) server.on('checkContinue', expectContinue);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return listening(server);
}

/** For answers that node:http would not send: the bytes are the test's own. */
export async function listenRaw(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // a reset is what some tests are about
    onConnection(socket);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return listening(server as Server);
}

export interface Ask {
  readonly port: number;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: string[];
  /** A stream is sent in chunks. */
  readonly body?: string | Readable;
  /** Over TLS, with a server that this authority vouches for. */
  readonly ca?: string;
}

export interface Answer {
  readonly status: number;
  readonly raw: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly trailers: NodeJS.Dict<string>;
}

/** Resolves with a whole answer; rejects if it was cut short. */
export async function ask(options: Ask): Promise<Answer> {
  const response = await askForHead(options);
  const body = await text(response);
  return {
    status: response.statusCode ?? 0,
    raw: response.rawHeaders,
    headers: response.headers,
    body,
    trailers: response.trailers,
  };
}

export function askForHead({
  port,
  method = 'GET',
  path = '/',
  host = 'app.example',
  headers,
  body,
  ca,
}: Ask): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const framing = typeof body === 'string' ? ['Content-Length', String(Buffer.byteLength(body))] : [];
    if (typeof body === 'object') framing.push('Transfer-Encoding', 'chunked');
    const request = (ca === undefined ? httpRequest : httpsRequest)({
      port,
      host: '127.0.0.1',
      method,
      path,
      headers: ['Host', host, ...framing, ...(headers ?? [])],
      agent: false,
      ...(ca === undefined ? {} : { ca, servername: 'localhost' }),
    });
    request.on('response', resolve).on('error', reject);
    if (typeof body === 'object') pipeline(body, request, () => {});
    else request.end(body);
  });
}

/** Writes bytes and gives back everything that comes until the server closes. */
export async function askRaw(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.write(bytes);
  return text(socket);
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
