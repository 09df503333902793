// An agent and gateways that refuse it: what one of them says is no matter of the others.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { masksFor } from '../../src/agent/gateway-link.ts';
import { Targets } from '../../src/agent/targets.ts';
import { TunnelAgent } from '../../src/agent/tunnel-agent.ts';
import { ask, listen } from '../support/http.ts';
import { HOST, startGateway, tokenFor } from '../support/tunnel.ts';

async function answering(status: number): Promise<string> {
  const server = createServer().on('upgrade', (_request, socket) => {
    socket.end(`HTTP/1.1 ${status} Not now\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/connect`;
}

describe('an agent', () => {
  it.each([401, 403, 404, 400, 301, 521, 530])(
    'of a good gateway and one that answers %i serves the good one',
    async (status) => {
      const gateway = await startGateway();
      const origin = await listen((_request, response) => response.end('served'));
      const agent = new TunnelAgent({
        gateways: [`ws://127.0.0.1:${gateway.port}/connect`, await answering(status)],
        token: tokenFor('alpha', [HOST]),
        targets: Targets.parse([`http://127.0.0.1:${origin}`]),
        log: () => {},
      });
      onTestFinished(() => agent.close(0));
      let ended = false;
      agent.ended.then(
        () => {
          ended = true;
        },
        () => {
          ended = true;
        },
      );
      const joined = gateway.logged('agent connected');
      await agent.dialed;
      await joined;
      expect([(await ask({ port: gateway.port })).body, ended]).toEqual(['served', false]);
    },
  );

  it.each([404, 400, 521])('of one gateway that answers %i goes on, and dials again later', async (status) => {
    const told: Readonly<Record<string, unknown>>[] = [];
    const agent = new TunnelAgent({
      gateways: [await answering(status)],
      token: 'x',
      targets: Targets.parse(['http://127.0.0.1:1']),
      log: (event, fields) => told.push({ event, ...fields }),
    });
    await agent.dialed;
    expect(told).toEqual([expect.objectContaining({ event: 'dials again', inMs: expect.any(Number) })]);
    await agent.close(0);
    await agent.ended;
  });
});

describe('what an agent sends', () => {
  it.each([
    'ws://127.0.0.1:8080/connect',
    'ws://127.9.9.9/',
    'ws://[::1]:8080/',
    'ws://localhost:8080/',
    'wss://localhost/',
  ])('has no key to a gateway of this machine: %s', (url) => {
    expect(masksFor(url)).toBe(false);
  });

  it.each(['ws://10.0.0.1/', 'ws://localhost.example/', 'ws://127.0.0.1.example/', 'wss://gateway.example/'])(
    'is masked as dial() does it to any other: %s',
    (url) => {
      expect(masksFor(url)).toBeUndefined();
    },
  );

  it('is masked where a proxy stands between', () => {
    vi.stubEnv('http_proxy', 'http://proxy.example:3128');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(masksFor('ws://127.0.0.1:8080/')).toBeUndefined();
  });
});
