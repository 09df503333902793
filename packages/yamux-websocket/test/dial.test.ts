import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type DialOptions, dial } from '../src/dial.ts';
import { acceptUpgrades } from '../src/upgrade.ts';
import { closeServers, httpServer } from './support/http-server.ts';
import { settled } from './support/observe.ts';

afterEach(closeServers);

/** Answers every connection with the same bytes, whatever the request. */
async function answering(answer: string) {
  const http = await httpServer();
  const closes: Promise<unknown>[] = [];
  http.server.on('upgrade', (_request, socket) => {
    closes.push(once(socket, 'close'));
    socket.on('error', () => {});
    socket.once('end', () => socket.end()); // a server's sockets do not close by themselves when the client leaves
    socket.resume();
    socket.write(answer);
  });
  return { ...http, closes };
}

/** The response that accepts the upgrade. */
function switching(request: IncomingMessage): Buffer {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash('sha1').update(key).digest('base64');
  const head = [
    '101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
  ];
  return Buffer.from(`HTTP/1.1 ${head.join('\r\n')}\r\n\r\n`);
}

async function refusal(promise: Promise<unknown>) {
  return promise.then(
    () => expect.fail('was not refused'),
    (error: unknown) => error,
  );
}

describe('dial()', () => {
  it('resolves with a session in the client role that works with the server', async () => {
    const { server, url, port } = await httpServer();
    let requested: IncomingMessage | undefined;
    const acceptor = acceptUpgrades(server, {
      path: '/connect',
      authenticate: (request) => request.headers.authorization,
      onSession: (session, request) => {
        requested = request;
        session.on('stream', (stream) => stream.pipe(stream));
      },
    });
    const session = await dial(`${url}/connect?x=1`, { headers: { Authorization: 'Bearer t' } });
    expect(session.role).toBe('client');
    const stream = await session.open();
    expect([stream.remoteAddress, stream.remotePort]).toEqual(['127.0.0.1', port]);
    stream.end('hello');
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('hello');
    expect(requested?.headers['sec-websocket-extensions']).toBeUndefined(); // no compression is offered
    await session.close();
    acceptor.close();
  });

  it('can take the server role, and passes options on to ws', async () => {
    const { server, url } = await httpServer();
    acceptUpgrades(server, {
      path: '/',
      authenticate: (request) => request.headers.origin,
      role: 'client',
      onSession: (session) => {
        void session.open().then((stream) => stream.resume().end());
      },
    });
    const session = await dial(url, { role: 'server', ws: { origin: 'http://here' } });
    const stream = await session.accept();
    expect([session.role, stream.id]).toEqual(['server', 1]);
    stream.resume().end();
    await session.close();
  });

  it('rejects with the status, headers and body of a refusal', async () => {
    const { url, closes } = await answering(
      'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nlater',
    );
    expect(await refusal(dial(url))).toMatchObject({
      name: 'UpgradeRefusedError',
      code: 'ERR_YAMUX_WEBSOCKET_REFUSED',
      status: 429,
      headers: { 'retry-after': '7' },
      body: 'later',
    });
    await Promise.all(closes);
  });

  it('rejects in the same way when the server does not support upgrades', async () => {
    const { server, url } = await httpServer();
    server.on('request', (_request, response) => response.end('welcome'));
    expect(await refusal(dial(url))).toMatchObject({ status: 200, body: 'welcome' });
  });

  it('keeps the first 4 KiB of a refusal, and does not wait for the rest', async () => {
    const { url, closes } = await answering(
      `HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000\r\n\r\na${'é'.repeat(5000)}`,
    );
    const error = await refusal(dial(url));
    expect(error).toMatchObject({ status: 403, body: `a${'é'.repeat(2047)}` });
    await Promise.all(closes);
  });

  it('rejects with a refusal whose body is truncated', async () => {
    const http = await httpServer();
    http.server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\nhalf', () => socket.destroy());
    });
    expect(await refusal(dial(http.url))).toMatchObject({ status: 502, body: 'half' });
  });

  it('rejects after handshakeTimeout without an answer, and leaves no connection', async () => {
    const silent = await answering('');
    expect(await refusal(dial(silent.url, { handshakeTimeout: 50 }))).toMatchObject({
      code: 'ERR_YAMUX_WEBSOCKET_HANDSHAKE_TIMEOUT',
      origin: 'local',
      message:
        'The server did not answer the upgrade within 50 ms (handshakeTimeout); if 50 seconds were meant, give 50000',
    });
    await Promise.all(silent.closes);
  });

  it('rejects with the received part of a refusal whose body does not end within handshakeTimeout', async () => {
    const { url, closes } = await answering('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\nbusy');
    let tell: () => void = () => {};
    const answered = new Promise<void>((resolve) => {
      tell = resolve;
    });
    subscribe('http.client.response.finish', tell);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const error = refusal(dial(url, { handshakeTimeout: 200 }));
      await answered;
      await settled(); // the start of the body came in the same packet
      vi.advanceTimersByTime(199);
      expect(closes.length).toBe(1);
      vi.advanceTimersByTime(1);
      expect(await error).toMatchObject({ status: 503, body: 'busy' });
    } finally {
      unsubscribe('http.client.response.finish', tell);
      vi.useRealTimers();
    }
    await Promise.all(closes);
  });

  it('rejects with the reason of the signal when it aborts, before and during the connection', async () => {
    const { server, url, closes } = await answering('');
    const reason = new Error('changed my mind');
    expect(await refusal(dial(url, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const controller = new AbortController();
    const error = refusal(dial(url, { signal: controller.signal }));
    await once(server, 'upgrade');
    controller.abort(reason);
    expect(await error).toBe(reason);
    expect(closes.length).toBe(1);
    await Promise.all(closes);
  });

  it('keeps its session when the signal aborts later', async () => {
    const { server, url } = await httpServer();
    acceptUpgrades(server, { path: '/', authenticate: () => true, onSession: () => {} });
    const controller = new AbortController();
    const session = await dial(url, { signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    expect(await session.ping()).toBeGreaterThan(0);
    await session.close();
  });

  it('rejects with the cause when no server listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    expect(await refusal(dial(`ws://127.0.0.1:${port}/?token=secret`))).toMatchObject({
      code: 'ERR_YAMUX_WEBSOCKET_DIAL_FAILED',
      cause: { code: 'ECONNREFUSED' },
      message: expect.not.stringContaining('secret'),
    });
  });

  it('rejects when the server chooses none of the subprotocols', async () => {
    const { server, url } = await httpServer();
    acceptUpgrades(server, {
      path: '/',
      authenticate: () => true,
      onSession: (session) => session.on('error', () => {}),
    });
    const error = await refusal(dial(url, { subprotocols: ['yamux.v1'] }));
    expect(error).toMatchObject({
      code: 'ERR_YAMUX_WEBSOCKET_DIAL_FAILED',
      cause: { message: 'Server sent no subprotocol' },
    });
  });

  it.each<[string, string, DialOptions, string]>([
    ['URL', 'not a url', {}, 'SyntaxError'],
    ['URL scheme', 'ftp://host', {}, 'SyntaxError'],
    ['subprotocol', 'ws://127.0.0.1:9', { subprotocols: ['a b'] }, 'SyntaxError'],
    ['role', 'ws://127.0.0.1:9', { role: 'peer' as 'client' }, 'TypeError'],
    ['handshakeTimeout', 'ws://127.0.0.1:9', { handshakeTimeout: -1 }, 'RangeError'],
    ['stream option', 'ws://127.0.0.1:9', { stream: { writeTimeout: 0.5 } }, 'RangeError'],
  ])('rejects a bad %s before it connects', async (_what, url, options, name) => {
    expect(await refusal(dial(url, options))).toMatchObject({ name });
  });

  it('loses no bytes that came in one packet with the upgrade', async () => {
    const { server, url } = await httpServer();
    const frames = Buffer.from([0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 2, 104, 105]);
    server.on('upgrade', (request, socket: Socket) => {
      socket.on('error', () => {});
      socket.write(Buffer.concat([switching(request), Buffer.from([0x82, frames.length]), frames]));
    });
    const session = await dial(url);
    session.on('error', () => {});
    await settled(); // the caller takes its time
    const stream = await session.accept();
    stream.on('error', () => {});
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('hi');
    session.destroy();
  });

  it('gives the caller its session before bytes that came with the upgrade can fail it', async () => {
    const { server, url } = await httpServer();
    const garbage = Buffer.from([0x82, 12, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
    server.on('upgrade', (request, socket: Socket) => {
      socket.on('error', () => {});
      socket.write(Buffer.concat([switching(request), garbage]));
    });
    const session = await dial(url);
    const [error] = (await once(session, 'error').catch((cause: unknown) => [cause])) as [unknown];
    expect(error).toMatchObject({ code: 'ERR_YAMUX_PROTOCOL' });
  });
});
