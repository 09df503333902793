// What clients, agents and targets cannot use up, and what becomes of them past it.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { dial } from '@zishuo/yamux-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, askRaw, listen, listenRaw } from '../support/http.ts';
import { freePort, signal, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

const UPGRADE =
  'GET /connect HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n';

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

describe('the bounds of a gateway', () => {
  it('headers of a request are all passed on, or, above maxHeadersCount, answered 431', async () => {
    const gateway = await startGateway({ maxHeadersCount: 2_000 });
    let raw: readonly string[] = [];
    const port = await listen((request, response) => {
      raw = request.rawHeaders;
      response.end();
    });
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    const many = (count: number): string =>
      `GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n${'a:\r\n'.repeat(count)}\r\n`;
    expect(await askRaw(gateway.port, many(990))).toMatch(/^HTTP\/1.1 200 /);
    expect(raw.filter((name) => name === 'a').length).toBe(990);
    expect(raw).toContain('X-Forwarded-For');
    expect(await askRaw(gateway.port, many(2_100))).toMatch(/^HTTP\/1.1 431 .*ERR_TUNNEL_TOO_MANY_HEADERS/s);
  });

  it('the head of an answer above maxAnswerHeaderSize is answered 502', async () => {
    const gateway = await startGateway({ maxAnswerHeaderSize: 5_000 });
    await startAgent(gateway, {
      origin: (request, response) => response.setHeader('X-Large', 'x'.repeat(Number(request.url?.slice(1)))).end('ok'),
    });
    expect((await ask({ port: gateway.port, path: '/4000' })).status).toBe(200);
    const answer = await ask({ port: gateway.port, path: '/6000' });
    expect([answer.status, answer.body]).toEqual([502, expect.stringContaining('ERR_TUNNEL_PROTOCOL')]);
  });

  it('a connection above maxConnectionsPerAddress is closed; agents do not count', async () => {
    const gateway = await startGateway({ maxConnectionsPerAddress: 2 });
    await startAgent(gateway, { origin: (_request, response) => response.end('ok'), connections: 3 });
    const first = await connected(gateway.port);
    await connected(gateway.port);
    const third = await connected(gateway.port);
    if (!third.destroyed) await once(third, 'close');
    expect(gateway.gateway.limits.connections.refused).toBe(1);
    first.destroy();
    await once(first, 'close');
    await expect
      .poll(() =>
        ask({ port: gateway.port }).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
  });

  it('a dial that was not let in is a connection of its address until it is closed', async () => {
    const gateway = await startGateway({ maxConnectionsPerAddress: 2 });
    for (let dials = 0; dials < 2; dials += 1) {
      const stranger = await connected(gateway.port);
      const refused = gateway.logged('agent refused');
      stranger.write(UPGRADE);
      await refused; // and the connection stays, until both sides have ended it
    }
    const third = await connected(gateway.port);
    if (!third.destroyed) await once(third, 'close');
    expect(gateway.gateway.limits.connections.refused).toBe(1);
  });

  it('a connection to the port of the agents counts as one to the public port, until its agent is let in', async () => {
    const gateway = await startGateway({ maxConnectionsPerAddress: 2, agentPort: 0 });
    const agentsPort = Number(new URL(gateway.gateway.agentUrl).port);
    const dialIn = async (): Promise<void> => {
      const joined = gateway.logged('agent connected');
      const session = await dial(`ws://127.0.0.1:${agentsPort}/connect`, {
        headers: { Authorization: `Bearer ${tokenFor('alpha')}` },
      });
      session.on('error', () => {});
      onTestFinished(() => session.destroy());
      await joined;
    };
    for (let agents = 0; agents < 3; agents += 1) await dialIn();
    await connected(agentsPort);
    await connected(gateway.port);
    for (const port of [agentsPort, gateway.port]) {
      const third = await connected(port);
      if (!third.destroyed) await once(third, 'close');
    }
    expect(gateway.gateway.limits.connections.refused).toBe(2);
  });

  it('connections are those of the proxies in front where these are trusted, and have no bound', async () => {
    const gateway = await startGateway({ maxConnectionsPerAddress: 1, trustedHops: 1 });
    await startAgent(gateway, { origin: (_request, response) => response.end('ok') });
    await connected(gateway.port);
    await connected(gateway.port);
    expect((await ask({ port: gateway.port })).status).toBe(200);
  });

  it('a request above maxRequestsPerAddress is answered 429', async () => {
    const gateway = await startGateway({ maxRequestsPerAddress: 1 });
    const held = signal<() => void>();
    await startAgent(gateway, { origin: (_request, response) => held.tell(() => response.end('held')) });
    const running = ask({ port: gateway.port });
    const release = await held.happened;
    const answer = await ask({ port: gateway.port });
    expect([answer.status, answer.headers['retry-after'], gateway.gateway.limits.requests.refused]).toEqual([
      429,
      '1',
      1,
    ]);
    release();
    expect((await running).status).toBe(200);
  });

  it('an agent that takes no streams costs attemptTimeout, and no request', async () => {
    const gateway = await startGateway({ attemptTimeout: 200 });
    const silent = await startAgent(gateway, {
      name: 'silent',
      origin: (_request, response) => response.end('silent'),
    });
    await startAgent(gateway, { name: 'bravo', origin: (_request, response) => response.end('bravo') });
    silent.relay.stall();
    for (const method of ['GET', 'POST', 'GET', 'POST']) {
      expect((await ask({ port: gateway.port, method, body: '' })).body).toBe('bravo');
    }
  });

  it.each([
    ['GET', ''],
    ['POST', 'hello'],
  ])(
    'a %s that only one agent can take has openTimeout, not attemptTimeout: its link may be slow',
    async (method, body) => {
      const gateway = await startGateway({ attemptTimeout: 40 });
      const slow = await startAgent(gateway, { origin: (_request, response) => response.end('in the end') });
      slow.relay.delay(100);
      for (let count = 0; count < 3; count += 1) {
        expect((await ask({ port: gateway.port, method, body })).body).toBe('in the end');
      }
      const together = Array.from({ length: 10 }, () => ask({ port: gateway.port, method, body }));
      for (const answer of await Promise.all(together))
        expect([answer.status, answer.body]).toEqual([200, 'in the end']);
    },
  );

  it('a request that its only agent does not take is answered 504 after openTimeout', async () => {
    for (const attemptTimeout of [20, 3_600_000]) {
      const gateway = await startGateway({ attemptTimeout, openTimeout: 60 });
      const silent = await startAgent(gateway, { origin: (_request, response) => response.end('silent') });
      silent.relay.stall();
      for (const method of ['GET', 'POST']) {
        const served = gateway.logged('served');
        expect((await ask({ port: gateway.port, method, body: '' })).status).toBe(504);
        expect((await served).error).toMatch(/ within \d+ ms$/);
      }
    }
  });

  it.each([
    ['a GET', { method: 'GET', body: '' }],
    ['a POST', { method: 'POST', body: 'hello' }],
    ['a POST larger than what is kept', { method: 'POST', body: 'x'.repeat(300_000) }],
  ])('a target that refuses connections is out of the choice: %s is served by another', async (_what, sent) => {
    const gateway = await startGateway();
    await startAgent(gateway, { name: 'dead', origin: `http://127.0.0.1:${await freePort()}` });
    await startAgent(gateway, { name: 'good', origin: (request, response) => void request.pipe(response) });
    for (let count = 0; count < 6; count += 1) {
      const answer = await ask({ port: gateway.port, ...sent });
      expect([answer.status, answer.headers['x-served-by']]).toEqual([200, 'good']);
      expect(answer.body).toBe(sent.body);
    }
  });

  it('one target that refuses connections, and no other, is answered 502, and served as soon as it is back', async () => {
    const gateway = await startGateway();
    const port = await freePort();
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    expect((await ask({ port: gateway.port })).status).toBe(502);
    const { createServer } = await import('node:http');
    const server = createServer((_request, response) => response.end('back')).listen(port, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    expect((await ask({ port: gateway.port })).body).toBe('back');
  });

  it('a cut answer is never whole, whatever delimits it', async () => {
    const gateway = await startGateway();
    const port = await listenRaw((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${'x'.repeat(1_000)}`);
        socket.resetAndDestroy();
      });
    });
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    for (let count = 0; count < 20; count += 1) {
      const answer = await ask({ port: gateway.port }).catch((error: NodeJS.ErrnoException) => ({
        status: error.code,
      }));
      expect(['ECONNRESET', 502]).toContain(answer.status);
    }
  });

  it('a listener that throws costs nobody a request', async () => {
    const gateway = await startGateway();
    gateway.gateway.on('served', () => {
      throw new Error('of a listener');
    });
    await startAgent(gateway, { origin: (_request, response) => response.end('ok') });
    const told = gateway.logged('a listener has thrown');
    expect((await ask({ port: gateway.port })).status).toBe(200);
    expect(await told).toMatchObject({ error: expect.stringContaining('of a listener') });
    expect((await ask({ port: gateway.port })).status).toBe(200);
  });
});

describe('an agent that speaks HTTP/1.1 on its streams', () => {
  async function foreign(port: number, answer: string): Promise<void> {
    const headers = { Authorization: `Bearer ${tokenFor('foreign')}` };
    const session = await dial(`ws://127.0.0.1:${port}/connect`, { headers });
    onTestFinished(() => session.destroy());
    session.on('error', () => {});
    session.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.once('data', () => stream.end(answer));
    });
  }

  it.each([
    ['a whole answer is passed on', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 200],
    [
      'a 101 that nobody asked for is none',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      502,
    ],
    ['a 101 without an upgrade is none', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 502],
    ['bytes that are no HTTP are none', 'SSH-2.0-x\r\n', 502],
    ['an unknown coding is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 502],
    ['more than it said is dropped', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 101 x\r\n\r\n', 200],
  ])('is taken, and believed nothing: %s', async (_what, bytes, status) => {
    const gateway = await startGateway();
    const joined = gateway.logged('agent connected');
    await foreign(gateway.port, bytes);
    await joined;
    expect((await ask({ port: gateway.port })).status).toBe(status);
    expect((await ask({ port: gateway.port, host: 'nobody.example' })).status).toBe(404); // and the gateway lives
  });
});
