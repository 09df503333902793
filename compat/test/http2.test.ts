// node:http2, client and server, over a connection that it did not make.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import type net from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import tls from 'node:tls';
import { onTestFinished } from 'vitest';
import { certificate, NAME } from './support/certificate.ts';
import { turns, twins, until } from './support/twins.ts';

const { cert, key } = await certificate();

function connect(socket: net.Socket, scheme = 'http'): http2.ClientHttp2Session {
  const session = http2.connect(`${scheme}://${NAME}`, { createConnection: () => socket });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

function echoServer(): http2.Http2Server {
  const server = http2.createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200 });
    void pipeline(stream, stream).catch(() => {});
  });
  return server;
}

async function echo(session: http2.ClientHttp2Session, body: Buffer): Promise<boolean> {
  const stream = session.request({ ':method': 'POST' });
  stream.end(body);
  return (await buffer(stream)).equals(body);
}

twins(
  '50 concurrent requests are echoed whole, then both sides close',
  async (carrier) => {
    const server = echoServer();
    const closed = once(server, 'session').then(([session]) => once(session as http2.ServerHttp2Session, 'close'));
    await carrier.serve(server);
    const session = connect(await carrier.dial());
    const whole = await Promise.all(Array.from({ length: 50 }, (_, at) => echo(session, randomBytes(at * 4000))));
    session.close();
    await Promise.all([once(session, 'close'), closed]);
    return whole.every(Boolean);
  },
  true,
);

twins(
  'trailers, a push and a ping',
  async (carrier) => {
    const server = http2.createServer();
    server.on('stream', (stream) => {
      stream.pushStream({ ':path': '/pushed' }, (_error, pushed) => {
        pushed.respond();
        pushed.end('pushed');
      });
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ sum: 'of it' }));
      stream.end('answer');
    });
    await carrier.serve(server);
    const session = connect(await carrier.dial());
    const pushed = once(session, 'stream').then(([stream]) => text(stream as http2.ClientHttp2Stream));
    const stream = session.request({ ':path': '/' });
    const trailers = once(stream, 'trailers').then(([headers]) => (headers as http2.IncomingHttpHeaders).sum);
    const pinged = await new Promise((resolve) => session.ping((error) => resolve(error)));
    return { answer: await text(stream), pushed: await pushed, trailers: await trailers, pinged };
  },
  { answer: 'answer', pushed: 'pushed', trailers: 'of it', pinged: null },
);

twins(
  'a cancelled request does not affect the others',
  async (carrier) => {
    const server = http2.createServer();
    const cancelled = new Promise<number>((resolve) => {
      server.once('stream', (stream) => stream.once('close', () => resolve(stream.rstCode)));
    });
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.respond();
      if (stream.id !== 1) stream.end('answer');
    });
    await carrier.serve(server);
    const session = connect(await carrier.dial());
    const first = session.request({ ':path': '/without-end' });
    first.on('error', () => {});
    await once(first, 'response');
    first.close(http2.constants.NGHTTP2_CANCEL);
    return { code: await cancelled, next: await text(session.request()) };
  },
  { code: http2.constants.NGHTTP2_CANCEL, next: 'answer' },
);

twins(
  'a server that goes away lets active requests finish',
  async (carrier) => {
    const server = http2.createServer();
    let finish: (() => void) | undefined;
    server.on('stream', (stream) => {
      stream.respond();
      finish = () => stream.end('late');
      stream.session?.close();
    });
    await carrier.serve(server);
    const session = connect(await carrier.dial());
    const stream = session.request();
    await once(session, 'goaway');
    finish?.();
    const answer = await text(stream);
    await until(() => session.destroyed);
    return { answer, closed: session.closed };
  },
  { answer: 'late', closed: true },
);

twins(
  'a connection that dies fails each request, and closes its session',
  async (carrier) => {
    const server = http2.createServer();
    server.on('stream', (stream) => stream.on('error', () => {}));
    server.on('sessionError', () => {});
    await carrier.serve(server);
    const session = connect(await carrier.dial());
    const closed = new Promise((resolve) => session.once('close', resolve));
    const ends = Array.from({ length: 5 }, async () => {
      const stream = session.request();
      stream.on('error', () => {});
      await new Promise((resolve) => stream.once('close', resolve));
      return stream.aborted || stream.errored !== null || stream.rstCode !== 0;
    });
    await turns();
    carrier.fail();
    await closed;
    return Promise.all(ends);
  },
  [true, true, true, true, true],
);

twins(
  'HTTP/2 by ALPN inside TLS',
  async (carrier) => {
    const server = http2.createSecureServer({ cert, key, allowHTTP1: true }, (request, response) => {
      response.end(`${request.httpVersion} ${request.url}`);
    });
    await carrier.serve(server);
    const socket = tls.connect({ socket: await carrier.dial(), ca: cert, servername: NAME, ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    const session = connect(socket, 'https');
    const answer = await text(session.request({ ':path': '/over' }));
    session.close();
    await once(session, 'close');
    return answer;
  },
  '2.0 /over',
);

twins(
  'HTTP/2 on a connection that is still connecting',
  async (carrier) => {
    await carrier.serve(echoServer());
    return echo(connect(carrier.connect()), randomBytes(100_000));
  },
  true,
);
