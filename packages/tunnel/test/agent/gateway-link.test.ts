// An agent and gateways that refuse it: what one of them says is no matter of the others.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { masksFor } from '../../src/agent/gateway-link.ts';
import { Targets } from '../../src/agent/targets.ts';
import { TunnelAgent } from '../../src/agent/tunnel-agent.ts';
import { ask, listen } from '../support/http.ts';
import { HOST, signal, startGateway, tokenFor } from '../support/tunnel.ts';

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

  it.each([1008, 1009, 4401, 4403, 4409])(
    'of a good gateway and one that takes it and closes by %i serves the good one, and dials the other on',
    async (code) => {
      const gateway = await startGateway();
      const origin = await listen((_request, response) => response.end('served'));
      const closing = new WebSocketServer({ port: 0, host: '127.0.0.1' });
      onTestFinished(() => void closing.close());
      const twice = signal();
      let dials = 0;
      closing.on('connection', (socket) => {
        dials += 1;
        if (dials === 2) twice.tell();
        socket.close(code);
      });
      await once(closing, 'listening');
      vi.spyOn(Math, 'random').mockReturnValue(0); // no pause
      onTestFinished(() => void vi.restoreAllMocks());
      const joined = gateway.logged('agent connected');
      const agent = new TunnelAgent({
        gateways: [
          `ws://127.0.0.1:${gateway.port}/connect`,
          `ws://127.0.0.1:${(closing.address() as AddressInfo).port}/`,
        ],
        token: tokenFor('alpha', [HOST]),
        targets: Targets.parse([`http://127.0.0.1:${origin}`]),
        log: () => {},
      });
      onTestFinished(() => agent.close(0));
      await joined;
      await twice.happened;
      expect((await ask({ port: gateway.port })).body).toBe('served');
    },
  );

  it('whose fresh token is taken after a first refusal goes on', async () => {
    const gateway = await startGateway();
    let asked = 0;
    const agent = new TunnelAgent({
      gateways: [`ws://127.0.0.1:${gateway.port}/connect`],
      token: () => {
        asked += 1;
        return tokenFor('alpha', [HOST], asked === 1 ? 1 : undefined);
      },
      targets: Targets.parse(['http://127.0.0.1:1']),
      log: () => {},
    });
    onTestFinished(() => agent.close(0));
    await agent.connected;
    expect(asked).toBe(2);
  });

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
