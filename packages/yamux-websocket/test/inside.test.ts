// Protocols inside the streams of a session over a WebSocket: node:http with an agent, and a WebSocket that carries another session.
import { once } from 'node:events';
import http, { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { YamuxSession } from '@zishuo/yamux';
import { httpAgent } from '@zishuo/yamux/http';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { client, dial } from '../src/index.ts';
import { accepting } from './support/accepting.ts';
import { closeServers } from './support/http-server.ts';

afterEach(closeServers);

/** Resolves when the agent has dialed and the gateway has its session. */
async function tunnel(): Promise<{ readonly agent: YamuxSession; readonly gateway: YamuxSession }> {
  const { url, sessions } = await accepting();
  const agent = await dial(`${url}/connect`);
  return { agent, gateway: sessions[0] as YamuxSession };
}

describe('inside the streams of a tunnel', () => {
  it('node:http serves bodies both ways, all requests in a row over one stream of a keep-alive agent', async () => {
    const { agent, gateway } = await tunnel();
    const web = createServer((request, response) => void pipeline(request, response));
    agent.on('stream', (stream) => web.emit('connection', stream));
    const keepAlive = httpAgent(gateway, { keepAlive: true });
    for (const size of [0, 1, 70_000, 1_000_000]) {
      const body = Buffer.alloc(size, 'a body that goes there and back ');
      const request = http.request({ agent: keepAlive, host: 'inside', method: 'POST' });
      request.end(body);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      expect((await buffer(response)).equals(body)).toBe(true);
    }
    expect(gateway.streamCount).toBe(1);
    keepAlive.destroy();
    web.closeAllConnections();
    await gateway.close({ timeout: 0 });
  });

  it('a WebSocket is upgraded, and carries a session with streams of its own', async () => {
    const { agent, gateway } = await tunnel();
    const inner = await accepting();
    agent.on('stream', (stream) => inner.server.emit('connection', stream));
    const outer = await gateway.open();
    const socket = new WebSocket('ws://inside/connect', { perMessageDeflate: false, createConnection: () => outer });
    const near = client(socket);
    await once(socket, 'open');
    const far = inner.sessions[0] as YamuxSession;
    far.on('stream', (stream) => void pipeline(stream, stream));
    const stream = await near.open();
    const sent = Buffer.alloc(1_500_000, 'a stream in a WebSocket in a stream in a WebSocket');
    stream.end(sent);
    expect((await buffer(stream)).equals(sent)).toBe(true);
    const ended = once(outer, 'close');
    await near.close();
    await ended;
    expect([gateway.streamCount, gateway.state]).toEqual([0, 'open']);
    await gateway.close();
  });
});
