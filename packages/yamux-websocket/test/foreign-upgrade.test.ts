// node:http gives every request with an Upgrade header to the 'upgrade' listeners, whatever the protocol. Clients that offer h2c with their
// first request (curl --http2, Java's HttpClient) expect an HTTP/1.1 response if the server does not support it.
import { afterEach, describe, expect, it } from 'vitest';
import { acceptUpgrades } from '../src/upgrade.ts';
import { closeServers, exchange, httpServer, type TestServer, upgradeRequest } from './support/http-server.ts';

afterEach(closeServers);

async function accepting(): Promise<TestServer> {
  const http = await httpServer();
  acceptUpgrades(http.server, { path: '/connect', authenticate: () => true, onSession: () => {} });
  return http;
}

const h2c = (path: string, headers: Readonly<Record<string, string>> = {}): string =>
  upgradeRequest(path, { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': '', ...headers });

describe('an upgrade to another protocol than WebSocket', () => {
  it('is served without the upgrade on a foreign path', async () => {
    const { server, port } = await accepting();
    server.on('request', (request, response) => {
      response.setHeader('x-path', String(request.url));
      response.end('plain');
    });
    const answer = await exchange(port, h2c('/page'));
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(answer).toContain('x-path: /page\r\n');
    expect(answer).toContain('Connection: close\r\n');
    expect(answer).toContain('plain');
  });

  it('gets 404 on a foreign path without a request listener, or with a body, which cannot be read', async () => {
    const { server, port } = await accepting();
    expect(await exchange(port, h2c('/page'))).toMatch(/^HTTP\/1.1 404 /);
    server.on('request', (_request, response) => response.end('plain'));
    expect(await exchange(port, h2c('/page', { 'Content-Length': '4' }), 'body')).toMatch(/^HTTP\/1.1 404 /);
  });

  it('gets 426 on our path, with the expected protocol', async () => {
    const { port } = await accepting();
    const answer = await exchange(port, h2c('/connect'));
    expect(answer).toMatch(/^HTTP\/1.1 426 Upgrade Required\r\n/);
    expect(answer).toContain('upgrade: websocket\r\n');
  });

  it('is accepted if WebSocket is among the offered protocols', async () => {
    const { port } = await accepting();
    const answer = await exchange(port, upgradeRequest('/connect', { Upgrade: 'h2c, WebSocket' }));
    expect(answer).not.toContain('426');
  });

  it('does no harm when the client leaves before the answer', async () => {
    const { server, port } = await accepting();
    const answered = new Promise<void>((resolve) => {
      server.on('request', (request, response) => {
        request.socket.destroy();
        response.on('close', resolve);
        response.end('late');
      });
    });
    await exchange(port, h2c('/page')).catch(() => {});
    await answered;
  });
});
