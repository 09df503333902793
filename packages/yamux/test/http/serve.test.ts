import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { type HttpServer, type StreamSession, serveHttp } from '../../src/http.ts';
import type { YamuxSession, YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { data, syn } from '../support/frames.ts';
import { facingPeer, sessionPair } from '../support/pairs.ts';

const cleanUps: Array<() => void> = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
  await settle();
});

/** `a` dials what `b` serves. */
function served(web: HttpServer): { a: YamuxSession; b: YamuxSession; stop: () => void } {
  const { a, b } = sessionPair();
  for (const session of [a, b]) session.on('error', () => {});
  cleanUps.push(() => {
    a.destroy();
    b.destroy();
    web.close();
  });
  return { a, b, stop: serveHttp(web, b) };
}

const hello = (options: http.ServerOptions = {}): http.Server =>
  http.createServer(options, (_request, response) => response.end('hello'));

/** What one stream hears: all of it, and how it ended. */
function heardOn(stream: YamuxStream): { text: string; end: Promise<string> } {
  const heard = { text: '', end: Promise.resolve('') };
  stream.on('data', (chunk: Buffer) => {
    heard.text += chunk.toString('latin1');
  });
  heard.end = new Promise((resolve) => {
    stream.on('end', () => resolve('end'));
    stream.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
  return heard;
}

const GET = 'GET / HTTP/1.1\r\nHost: inside\r\n\r\n';
const statusOf = (heard: string): string => heard.slice(0, 'HTTP/1.1 200'.length);

describe('a server that listens nowhere', () => {
  test("answers requests, and emits no 'listening'", async () => {
    const web = hello();
    let listened = 0;
    web.on('listening', () => (listened += 1));
    const { a } = served(web);
    const stream = a.connect();
    const heard = heardOn(stream);
    stream.write(GET);
    await settle();
    expect(statusOf(heard.text)).toBe('HTTP/1.1 200');
    expect([listened, web.listening]).toEqual([0, false]);
  });

  test.each(['headersTimeout', 'requestTimeout'])(
    'ends by %s what does not come to its end, with 408',
    async (limit) => {
      const web = hello({ headersTimeout: 0, requestTimeout: 0, [limit]: 10, connectionsCheckingInterval: 5 });
      const { a } = served(web);
      const stream = a.connect();
      const heard = heardOn(stream);
      stream.write('GET / HTTP/1.1\r\nHost: inside\r\nX: ');
      expect(await heard.end).toBe('end');
      expect(statusOf(heard.text)).toBe('HTTP/1.1 408');
    },
  );

  test('ends idle connections by closeIdleConnections(), and all by closeAllConnections()', async () => {
    const web = http.createServer((request, response) => void (request.url === '/' && response.end('hello')));
    const { a } = served(web);
    const [idle, busy] = [a.connect(), a.connect()];
    const ends = [heardOn(idle).end, heardOn(busy).end];
    idle.write(GET);
    busy.write('GET /never HTTP/1.1\r\nHost: inside\r\n\r\n');
    await settle();
    web.closeIdleConnections();
    await ends[0];
    expect(busy.destroyed).toBe(false);
    web.closeAllConnections();
    await ends[1];
  });

  test('counts its streams, and keeps to maxConnections', async () => {
    const web = hello();
    web.maxConnections = 2;
    const dropped: object[] = [];
    web.on('drop', (data) => dropped.push(data as object));
    const { a } = served(web);
    const first = a.connect().on('error', () => {});
    a.connect().on('error', () => {});
    const third = heardOn(a.connect());
    expect(await third.end).toBe('ERR_YAMUX_STREAM_RESET');
    expect(dropped).toHaveLength(1);
    const count = (): Promise<number> =>
      new Promise((resolve) => web.getConnections((_error, connections) => resolve(connections)));
    expect(await count()).toBe(2);
    first.destroy();
    await settle();
    expect(await count()).toBe(1);
  });

  test("emits 'upgrade' and 'connect' with the stream", async () => {
    const web = hello();
    for (const event of ['upgrade', 'connect']) {
      web.on(event, (_request, socket: Duplex, head: Buffer) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.end(head);
      });
    }
    const { a } = served(web);
    for (const head of ['GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n', 'CONNECT a:1 HTTP/1.1\r\n']) {
      const stream = a.connect();
      stream.end(`${head}Host: inside\r\n\r\nback`);
      expect(await text(stream)).toBe('HTTP/1.1 200 OK\r\n\r\nback');
    }
  });
});

describe('close()', () => {
  test('takes no more streams, and comes to its end without an error when those that it has are over', async () => {
    const web = http.createServer(() => {});
    const { a, b } = served(web);
    const stream = a.connect();
    stream.on('error', () => {}).write(GET);
    await once(web, 'request');
    const events: unknown[] = [];
    web.on('close', () => events.push('close'));
    web.close((error) => events.push(error));
    await settle();
    expect(events).toEqual([]);
    const later = a.connect().on('error', () => {});
    await settle();
    expect([later.acknowledged, b.listenerCount('stream')]).toEqual([false, 0]);
    stream.destroy();
    await settle();
    expect(events).toEqual([undefined, 'close'].sort());
  });

  test('ends idle connections, as over TCP', async () => {
    const web = hello();
    const { a } = served(web);
    const stream = a.connect();
    const heard = heardOn(stream);
    stream.write(GET);
    await settle();
    await new Promise((resolve) => web.close(resolve));
    await heard.end;
    expect(statusOf(heard.text)).toBe('HTTP/1.1 200');
  });

  test('a second one is an error, as over TCP; and then sessions may be served again', async () => {
    const web = hello();
    const { b } = served(web);
    const close = (): Promise<unknown> => new Promise((resolve) => web.close(resolve));
    expect(await close()).toBeUndefined();
    expect(await close()).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
    serveHttp(web, b);
    expect(await close()).toBeUndefined();
  });

  test('of a server that listens too waits for both', async () => {
    const web = http.createServer(() => {});
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const { a } = served(web);
    const socket = net.connect((web.address() as net.AddressInfo).port, '127.0.0.1').on('error', () => {});
    const stream = a.connect();
    stream.on('error', () => {});
    for (const [index, connection] of [socket, stream].entries()) {
      const requested = once(web, 'request');
      connection.write(GET.replace('/', `/${index}`));
      await requested;
    }
    let isClosed = false;
    const closing = new Promise<unknown>((resolve) => web.close(resolve)).then((error) => {
      isClosed = true;
      return error;
    });
    socket.destroy();
    await once(socket, 'close');
    await settle();
    expect(isClosed).toBe(false);
    stream.destroy();
    expect(await closing).toBeUndefined();
  });
});

describe('what the server answers by itself', () => {
  const CASES: ReadonlyArray<readonly [string, string]> = [
    ['400', 'no HTTP\r\n\r\n'],
    ['431', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(5000)}\r\n\r\n`],
    ['413', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}`],
  ];

  test.each(CASES)('%s comes with a FIN, and no RST behind it', async (status, head) => {
    const web = http.createServer({ maxHeaderSize: 2000 }, () => {});
    const { session, peer } = facingPeer('server');
    cleanUps.push(() => {
      session.destroy();
      web.close();
    });
    serveHttp(web, session);
    peer.send(syn(1), data(1, head));
    const heard = await peer.heard();
    expect(statusOf(String(peer.payload(1)))).toBe(`HTTP/1.1 ${status}`);
    expect(heard.filter((line) => /FIN|RST/.test(line))).toEqual(['CREDIT FIN 1 +0']);
  });

  test('a listener of the application answers instead', async () => {
    const web = hello();
    web.on('clientError', (_error, socket) => socket.end('HTTP/1.1 418 Teapot\r\n\r\n'));
    const { a } = served(web);
    const stream = a.connect();
    stream.end('no HTTP\r\n\r\n');
    expect(await text(stream)).toBe('HTTP/1.1 418 Teapot\r\n\r\n');
  });

  test('an answer under way is not added to', async () => {
    const web = http.createServer((_request, response) => void response.write('begun'));
    const { a } = served(web);
    const stream = a.connect();
    const heard = heardOn(stream);
    stream.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await settle();
    stream.write('no chunk\r\n\r\n');
    expect(await heard.end).toBe('ERR_YAMUX_STREAM_RESET');
    expect(heard.text.match(/HTTP/g)).toHaveLength(1);
  });

  test('a handshake that fails has no HTTP in it', async () => {
    const web = https.createServer({ ciphers: 'PSK', maxVersion: 'TLSv1.2', pskCallback: () => null });
    const { a } = served(web);
    const stream = a.connect();
    const heard = heardOn(stream);
    stream.write(GET);
    await heard.end;
    expect(heard.text).not.toContain('HTTP');
  });
});

describe('sessions', () => {
  test('several are served by one server, and one that ends is forgotten', async () => {
    const web = hello();
    const scenes = [served(web), served(web)] as const;
    for (const { a } of scenes) {
      const stream = a.connect();
      stream.end(GET.replace('1.1\r\n', '1.1\r\nConnection: close\r\n'));
      expect(statusOf(await text(stream))).toBe('HTTP/1.1 200');
    }
    const [{ a, b }] = scenes;
    await a.close();
    await settle();
    expect([b.listenerCount('stream'), b.listenerCount('close')]).toEqual([0, 0]);
    expect(scenes[1].b.listenerCount('stream')).toBe(1);
  });

  test('one that is stopped takes no more streams, and those that it gave go on', async () => {
    const web = hello();
    const { a, b, stop } = served(web);
    const stream = a.connect();
    const heard = heardOn(stream);
    await settle();
    stop();
    stop();
    stream.write(GET);
    await settle();
    expect(statusOf(heard.text)).toBe('HTTP/1.1 200');
    expect([b.listenerCount('stream'), b.listenerCount('close')]).toEqual([0, 0]);
  });

  test('one that is served already is not served twice', () => {
    const web = hello();
    const { b, stop } = served(web);
    expect(serveHttp(web, b)).toBe(stop);
    expect(b.listenerCount('stream')).toBe(1);
  });

  test('a server or a session that is none throws TypeError', () => {
    const web = hello();
    expect(() => serveHttp({} as HttpServer, sessionPair().a)).toThrow(
      new TypeError('Expected server to be an HTTP server, got object'),
    );
    expect(() => serveHttp(web, (() => {}) as unknown as StreamSession)).toThrow(
      new TypeError('Expected session to be a session, got function'),
    );
  });

  test.each([
    ['a session, the arguments swapped,', () => sessionPair().b],
    ['a net.Server', () => net.createServer()],
    ['an HTTP/2 server', () => http2.createServer()],
  ])('%s is no HTTP server: it knows nothing of the times that node:http would check', (_what, make) => {
    expect(() => serveHttp(make() as unknown as HttpServer, sessionPair().a)).toThrow(
      new TypeError('Expected server to be an HTTP server, got object'),
    );
  });

  test('a stream is no session', () => {
    expect(() => serveHttp(hello(), new PassThrough() as unknown as StreamSession)).toThrow(
      new TypeError('Expected session to be a session, got a stream'),
    );
  });
});
