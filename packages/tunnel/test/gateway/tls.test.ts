// A public port that speaks TLS: agents and clients come in by it, and it ends as the other does.
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { dial } from '@zishuo/yamux-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { LocalPlaces } from '../../src/agent/local-places.ts';
import { ServedStream } from '../../src/agent/served-stream.ts';
import { Targets } from '../../src/agent/targets.ts';
import { EXCHANGE_HEADER, EXCHANGE_VERSION } from '../../src/exchange/block.ts';
import { certificate } from '../support/certificate.ts';
import { ask, listen } from '../support/http.ts';
import { type Gateway, startGateway, tokenFor } from '../support/tunnel.ts';

const ca = certificate.cert;

/** An agent as the program is one, but for the authority: that one has it from its environment. */
async function joinBySecureWebSocket({ port, logged }: Gateway, target: string): Promise<void> {
  const joined = logged('agent connected');
  const headers = { Authorization: `Bearer ${tokenFor('alpha')}`, [EXCHANGE_HEADER]: EXCHANGE_VERSION };
  const session = await dial(`wss://127.0.0.1:${port}/connect`, { headers, ws: { ca } });
  onTestFinished(() => session.close({ timeout: 0 }));
  const places = new LocalPlaces(Targets.parse([target]), () => {});
  onTestFinished(() => places.close());
  session.on('error', () => {}).on('stream', (stream) => new ServedStream(stream, places));
  await joined;
}

/** A client that says nothing. When this resolves, the gateway has it: connections are taken in their order. */
async function silentClient(gateway: Gateway): Promise<Socket> {
  const client = connect({ port: gateway.port, host: '127.0.0.1' });
  onTestFinished(() => void client.destroy());
  client.on('error', () => {}).resume(); // how it is ended does not matter
  await once(client, 'connect');
  await ask({ port: gateway.port, ca });
  return client;
}

describe('a gateway with a certificate', () => {
  it('says https:, serves requests of agents that dialed wss:, and tells the origin which it was', async () => {
    const gateway = await startGateway({ tls: certificate });
    const origin = await listen((request, response) => response.end(request.headers['x-forwarded-proto']));
    await joinBySecureWebSocket(gateway, `http://127.0.0.1:${origin}`);
    expect(gateway.gateway.url).toBe(`https://127.0.0.1:${gateway.port}`);
    expect(await ask({ port: gateway.port, ca })).toMatchObject({ status: 200, body: 'https' });
    await expect(ask({ port: gateway.port })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('takes a client that offers HTTP/1.0 alone', async () => {
    const gateway = await startGateway({ tls: certificate });
    const origin = await listen((_request, response) => response.end('to 1.0'));
    await joinBySecureWebSocket(gateway, `http://127.0.0.1:${origin}`);
    const client = connectTls({ port: gateway.port, host: '127.0.0.1', ca, ALPNProtocols: ['http/1.0'] });
    onTestFinished(() => void client.destroy());
    client.write('GET / HTTP/1.0\r\nHost: app.example\r\n\r\n');
    expect(await text(client)).toMatch(/ 200 OK\r\n.*to 1.0$/s);
  });

  it('carries WebSockets', async () => {
    const gateway = await startGateway({ tls: certificate });
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => server.close());
    server.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(data)));
    await once(server, 'listening');
    await joinBySecureWebSocket(gateway, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const socket = new WebSocket(`wss://127.0.0.1:${gateway.port}/chat`, { ca, headers: { Host: 'app.example' } });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    socket.send('through two TLS connections');
    expect(String((await once(socket, 'message'))[0])).toBe('through two TLS connections');
    socket.close(4001);
    expect((await once(socket, 'close'))[0]).toBe(4001);
  });

  it('closes although a client has never begun its handshake', async () => {
    const gateway = await startGateway({ tls: certificate, headersTimeout: 600_000 });
    const ended = once(await silentClient(gateway), 'close');
    await gateway.gateway.close(0);
    await ended;
  });

  it('waits for a handshake no longer than for the head of a request', async () => {
    const gateway = await startGateway({ tls: certificate, headersTimeout: 100 });
    const client = await silentClient(gateway);
    if (!client.destroyed) await once(client, 'close');
  });
});
