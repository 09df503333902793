import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bodyStream } from '../../src/demo/body.ts';
import type { TunnelGatewayOptions } from '../../src/gateway/options.ts';
import type { ServedRequest } from '../../src/gateway/served.ts';
import { ask, askForHead, askRaw, listen, listenRaw } from '../support/http.ts';
import { startAgent, startGateway } from '../support/tunnel.ts';

interface Forwarder {
  readonly port: number;
  /** How the first exchange ended. */
  readonly ending: Promise<ServedRequest>;
}

/** A gateway, and an agent whose target it is. */
async function forwardTo(origin: number, options: Partial<TunnelGatewayOptions> = {}): Promise<Forwarder> {
  const gateway = await startGateway(options);
  await startAgent(gateway, { origin: `http://127.0.0.1:${origin}` });
  const ending = new Promise<ServedRequest>((resolve) => void gateway.gateway.once('served', resolve));
  return { port: gateway.port, ending };
}

function origin(handler: RequestListener, expectContinue?: RequestListener): Promise<Forwarder> {
  return listen(handler, expectContinue).then((port) => forwardTo(port));
}

describe('an exchange', () => {
  it('carries method, path, duplicate headers and the body to the origin, and the answer back', async () => {
    let seen: IncomingMessage | undefined;
    const { port, ending } = await origin((request, response) => {
      seen = request;
      response.writeHead(201, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
      request.pipe(response);
    });
    const answer = await ask({
      port,
      method: 'PUT',
      path: '/a?b=c',
      headers: ['X-Twice', '1', 'X-Twice', '2'],
      body: 'hello',
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toBe('hello');
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(seen).toMatchObject({ method: 'PUT', url: '/a?b=c' });
    expect(seen?.headers['x-twice']).toBe('1, 2');
    expect(seen?.headers['content-length']).toBe('5');
    expect(await ending).toMatchObject({ outcome: 'complete', status: 201 });
  });

  it('carries a small body byte for byte, whole or in parts', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const { port } = await origin((request, response) => {
      response.writeHead(200, { 'Content-Length': bytes.length });
      if (request.url === '/whole') response.end(bytes);
      else response.write(bytes.subarray(0, 100), () => setImmediate(() => response.end(bytes.subarray(100))));
    });
    for (const path of ['/whole', '/parts']) {
      expect((await buffer(await askForHead({ port, path }))).equals(bytes)).toBe(true);
    }
  });

  it('tells the head of an answer when it comes, however small the body that is to follow', async () => {
    let end: (() => void) | undefined;
    const { port } = await origin((_request, response) => {
      response.writeHead(200, { 'Content-Length': 4 }).flushHeaders();
      end = () => response.end('late');
    });
    const answer = await askForHead({ port });
    end?.();
    expect(await text(answer)).toBe('late');
  });

  it('carries trailers both ways', async () => {
    const { port } = await origin((request, response) => {
      request.resume().on('end', () => {
        response.write('body');
        response.addTrailers({ 'X-Sum': String(request.trailers['x-sum']) });
        response.end();
      });
    });
    const answer = await new Promise<IncomingMessage>((resolve) => {
      const request = httpRequest(
        { port, host: '127.0.0.1', method: 'POST', headers: { Host: 'app.example', Trailer: 'X-Sum' } },
        resolve,
      );
      request.write('body');
      request.addTrailers({ 'X-Sum': '42' });
      request.end();
    });
    await once(answer.resume(), 'end');
    expect(answer.trailers['x-sum']).toBe('42');
  });

  it('answers HEAD, 204 and 304 without a body, and keeps their headers', async () => {
    const { port } = await origin((request, response) => {
      const status = Number(request.url?.slice(1));
      response.writeHead(status, status === 204 ? {} : { 'Content-Length': 5 });
      response.end(request.method === 'HEAD' || status !== 200 ? undefined : 'hello');
    });
    const head = await ask({ port, method: 'HEAD', path: '/200' });
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '5', '']);
    const empty = await ask({ port, path: '/204' });
    expect([empty.status, empty.headers['transfer-encoding'], empty.body]).toEqual([204, undefined, '']);
    const unchanged = await ask({ port, path: '/304' });
    expect([unchanged.status, unchanged.headers['content-length'], unchanged.body]).toEqual([304, '5', '']);
  });

  it('lets the origin say 100 Continue before the body is sent', async () => {
    const { port } = await origin(
      (_request, response) => response.end('not asked'),
      (request, response) => {
        response.writeContinue();
        request.pipe(response);
      },
    );
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      headers: { Host: 'app.example', Expect: '100-continue' },
    });
    const answered = once(request, 'response');
    await once(request, 'continue');
    request.end('the body');
    const [response] = (await answered) as [IncomingMessage];
    expect((await response.toArray()).join('')).toBe('the body');
  });

  it('passes on the refusal of an expected body, which is then never sent', async () => {
    const { port } = await origin(
      (_request, response) => response.end('not asked'),
      (_request, response) => response.writeHead(413).end(),
    );
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      headers: { Host: 'app.example', Expect: '100-continue' },
    });
    request.on('error', () => {}); // the connection is of no use afterwards
    onTestFinished(() => void request.destroy());
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
  });

  it('passes each event of an event stream on before the next one is written', async () => {
    let events: ServerResponse | undefined;
    const { port } = await origin((_request, response) => {
      events = response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
    });
    const response = await askForHead({ port });
    expect(response.headers['content-type']).toBe('text/event-stream');
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      const next = once(response, 'data');
      events?.write(event);
      expect(String((await next)[0])).toBe(event);
    }
  });

  it('gives an answer that came before the body was sent, takes the rest of it, and then the next request', async () => {
    const { port } = await origin((request, response) => {
      if (request.method === 'POST') response.writeHead(413).end('too much');
      else response.end('the next');
    });
    const size = 24 * 1024 * 1024; // more than the sockets on the way can hold
    const socket = connect({ port, host: '127.0.0.1' });
    const answers = text(socket);
    socket.write(`POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${size}\r\n\r\n`);
    await pipeline(bodyStream(1, size), socket, { end: false });
    socket.write('GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n');
    expect(await answers).toMatch(/^HTTP\/1.1 413 .*too much.*HTTP\/1.1 200 OK.*the next/s);
  });

  it('does not let the body of one GET become the next request of its connection', async () => {
    const seen: string[] = [];
    const { port } = await origin((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      request.pipe(response);
    });
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: app.example\r\n\r\n';
    const answer = await askRaw(
      port,
      `GET /first HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    );
    expect(answer).toContain(smuggled);
    expect(seen).toEqual(['GET /first']);
  });
});

describe('an exchange that fails', () => {
  it('rejects while the origin has not answered, so that the client still gets an answer', async () => {
    const { port } = await forwardTo(await listenRaw((socket) => socket.once('data', () => socket.destroy())));
    const answer = await ask({ port, method: 'POST', body: 'hello' });
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'ECONNRESET' } });
  });

  it.each([
    ['sized', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
    ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ])('cuts the client off when a %s body was truncated by a clean end of the connection', async (_framing, bytes) => {
    const { port, ending } = await forwardTo(await listenRaw((socket) => socket.once('data', () => socket.end(bytes))));
    await expect(ask({ port })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await ending).outcome).toBe('cut');
  });

  it('cuts the client off when the connection is reset in the middle of the body', async () => {
    let socket: Socket | undefined;
    const forwarder = await forwardTo(
      await listenRaw((accepted) => {
        socket = accepted;
        accepted.once('data', () => accepted.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
      }),
    );
    const response = await askForHead({ port: forwarder.port });
    await once(response, 'data');
    socket?.resetAndDestroy();
    const [error] = await once(response, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(response.complete).toBe(false);
    expect((await forwarder.ending).outcome).toBe('cut');
  });

  it.each([
    ['a status that HTTP does not know', 'HTTP/1.1 042 What\r\nContent-Length: 0\r\n\r\n'],
    [
      'an upgrade that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ],
    ['bytes that are not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ])('rejects %s', async (_what, bytes) => {
    const { port } = await forwardTo(await listenRaw((socket) => socket.once('data', () => socket.write(bytes))));
    expect((await ask({ port })).status).toBe(502);
  });

  it('takes an odd reason phrase for what it is, and passes the status on', async () => {
    const bytes = 'HTTP/1.1 200 O\u0001K\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    const { port } = await forwardTo(await listenRaw((socket) => socket.once('data', () => socket.write(bytes))));
    expect((await ask({ port })).status).toBe(200);
  });

  it('rejects when no byte has moved for the idle timeout', async () => {
    const { port } = await forwardTo(await listenRaw(() => {}), { idleTimeout: 20 });
    const answer = await ask({ port });
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'ERR_TUNNEL_IDLE_TIMEOUT' } });
  });

  it('cuts the client off when the body stops moving for the idle timeout', async () => {
    const half = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf';
    const { port, ending } = await forwardTo(await listenRaw((socket) => socket.write(half)), { idleTimeout: 200 });
    await expect(ask({ port })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await ending).outcome).toBe('cut');
  });

  it('destroys the connection when the client leaves before the answer', async () => {
    let aborted!: () => void;
    const seenByOrigin = new Promise<void>((resolve) => {
      aborted = resolve;
    });
    let arrived!: () => void;
    const asked = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { port, ending } = await origin((_request, response) => {
      response.on('close', aborted);
      arrived();
    });
    const client = connect({ port, host: '127.0.0.1' });
    client.write('GET / HTTP/1.1\r\nHost: app.example\r\n\r\n');
    await asked;
    client.destroy();
    expect((await ending).outcome).toBe('abandoned');
    await seenByOrigin;
  });

  it('destroys the connection when the client leaves in the middle of the answer', async () => {
    let abandoned!: () => void;
    const seenByOrigin = new Promise<void>((resolve) => {
      abandoned = resolve;
    });
    const { port, ending } = await origin((_request, response) => {
      response.write('half');
      response.on('close', abandoned);
    });
    const response = await askForHead({ port });
    await once(response, 'data');
    response.destroy();
    expect((await ending).outcome).toBe('abandoned');
    await seenByOrigin;
  });

  it('destroys the connection when the client leaves in the middle of its upload', async () => {
    let failed!: (error: Error) => void;
    const seenByOrigin = new Promise<Error>((resolve) => {
      failed = resolve;
    });
    let arrived!: () => void;
    const uploading = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { port, ending } = await origin((request) => {
      request.on('error', failed);
      request.once('data', () => arrived());
    });
    const client = connect({ port, host: '127.0.0.1' });
    client.write('POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 100\r\n\r\nhalf');
    await uploading;
    client.destroy();
    expect((await ending).outcome).toBe('abandoned');
    expect(await seenByOrigin).toMatchObject({ code: 'ECONNRESET' });
  });
});
