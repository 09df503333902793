// What an agent does with its targets: connections that are kept, other kinds of them, and what is changed on the way.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { serveTunnel } from '../../src/serve-tunnel.ts';
import { certFile, certificate } from '../support/certificate.ts';
import { ask, listenRaw } from '../support/http.ts';
import { HOST, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

/** Counts its connections. */
async function counting(handler: RequestListener): Promise<{ port: number; connections: Set<Socket> }> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => connections.add(socket));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, connections };
}

describe('the connections of an agent to its target', () => {
  it('are kept for what can be sent twice, and fresh for what cannot', async () => {
    const gateway = await startGateway();
    const { port, connections } = await counting((request, response) => void request.pipe(response));
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    for (let count = 0; count < 5; count += 1) await ask({ port: gateway.port });
    expect(connections.size).toBe(1);
    for (let count = 0; count < 3; count += 1) {
      expect((await ask({ port: gateway.port, method: 'POST', body: 'once' })).body).toBe('once');
    }
    expect(connections.size).toBe(4);
  });

  it('are not shared by those who log in by connection', async () => {
    const gateway = await startGateway();
    const { port, connections } = await counting((_request, response) => response.end('ok'));
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    for (let count = 0; count < 3; count += 1) {
      await ask({ port: gateway.port, headers: ['Authorization', 'NTLM TlRMTVNTUAAB'] });
    }
    expect(connections.size).toBe(3);
  });

  it('that the target closes as they are used again cost no request', async () => {
    const gateway = await startGateway();
    let connections = 0;
    const port = await listenRaw((socket) => {
      connections += 1;
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        socket.once('data', () => socket.resetAndDestroy()); // takes a second request, and dies of it
      });
    });
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    for (let count = 0; count < 4; count += 1) expect((await ask({ port: gateway.port })).status).toBe(200);
    expect(connections).toBe(4);
  });

  it('are given up where the target speaks although nobody asked', async () => {
    const gateway = await startGateway();
    const sockets: Socket[] = [];
    const port = await listenRaw((socket) => {
      sockets.push(socket);
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    await ask({ port: gateway.port });
    const closed = once(sockets[0] as Socket, 'close');
    sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await closed;
    expect((await ask({ port: gateway.port })).body).toBe('ok');
  });

  it.each([
    ['HEAD with a body', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 200],
    ['204 with chunks', 'GET', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 204],
    ['304 with a body', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello', 304],
    ['a byte too many', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello!', 200],
  ])('end an answer where its framing does: %s', async (_what, method, bytes, status) => {
    const gateway = await startGateway();
    const port = await listenRaw((socket) => socket.once('data', () => socket.end(bytes)));
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    expect((await ask({ port: gateway.port, method })).status).toBe(status);
  });
});

describe('a target', () => {
  async function serving(server: Server, ...listen: unknown[]): Promise<void> {
    onTestFinished(() => void server.close());
    server.listen(...(listen as [number, string]));
    await once(server, 'listening');
  }
  const told = ({ headers, url }: IncomingMessage): string => `${headers.host} ${url}`;

  it('may be https:, whose certificate is judged', async () => {
    const gateway = await startGateway();
    const server = createTlsServer(certificate, (request, response) => response.end(told(request)));
    await serving(server, 0, '127.0.0.1');
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const targets = [
      `a.example=${address}`,
      `b.example=${address},ca=${certFile}`,
      `c.example=${address},insecure,rewrite-host=dev`,
    ];
    await startAgent(gateway, { origin: targets, routes: ['a.example', 'b.example', 'c.example'] });
    expect((await ask({ port: gateway.port, host: 'a.example' })).status).toBe(502);
    expect((await ask({ port: gateway.port, host: 'b.example' })).body).toBe('b.example /');
    expect((await ask({ port: gateway.port, host: 'c.example' })).body).toBe('dev /');
  });

  it.skipIf(process.platform === 'win32')('may be a Unix socket', async () => {
    const gateway = await startGateway();
    const folder = mkdtempSync(join(tmpdir(), 'tunnel-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'app.sock');
    await serving(
      createServer((request, response) => response.end(told(request))),
      path,
    );
    await startAgent(gateway, { origin: `unix:${path}` });
    expect((await ask({ port: gateway.port, path: '/x' })).body).toBe('app.example /x');
  });

  it('may be asked for its own host, and without the path of its route', async () => {
    const gateway = await startGateway();
    const { port } = await counting((request, response) => response.end(told(request)));
    const origin = `app.example/api=http://127.0.0.1:${port},rewrite-host,strip-prefix`;
    await startAgent(gateway, { origin, routes: ['app.example/api'] });
    const asked = async (path: string): Promise<string> => (await ask({ port: gateway.port, path })).body;
    const host = `127.0.0.1:${port}`;
    expect([await asked('/api/x?y'), await asked('/api'), await asked('/api?y')]).toEqual([
      `${host} /x?y`,
      `${host} /`,
      `${host} /?y`,
    ]);
  });
});

describe('a server of the program itself', () => {
  it('is served without a port: requests, bodies and WebSockets', async () => {
    const gateway = await startGateway();
    const server = createServer((request, response) => void request.pipe(response));
    new WebSocketServer({ server }).on('connection', (socket) =>
      socket.on('message', (data: Buffer) => socket.send(data)),
    );
    const agent = serveTunnel(server, {
      gateways: [`ws://127.0.0.1:${gateway.port}/connect`],
      token: tokenFor('own', [HOST]),
    });
    onTestFinished(() => agent.close(0));
    const joined = gateway.logged('agent connected');
    await agent.connected;
    await joined;
    const body = 'x'.repeat(3_000_000);
    expect((await ask({ port: gateway.port, method: 'POST', body })).body).toBe(body);
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`, { headers: { Host: HOST } });
    await once(socket, 'open');
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('hello');
    socket.close(4001);
    expect((await once(socket, 'close'))[0]).toBe(4001);
  });
});
