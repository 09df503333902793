// What one client may do on one connection, and in which order it is answered.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, askRaw, listen, listenRaw } from '../support/http.ts';
import { type Gateway, signal, startAgent, startGateway } from '../support/tunnel.ts';

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: app.example\r\n${more}\r\n`;

async function clientOf({ port }: Gateway): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Answers with the path, once it is let; counts what runs. */
async function heldOrigin(): Promise<{ port: number; running: string[]; release: () => void; asked: Promise<void> }> {
  const running: string[] = [];
  const { happened, tell } = signal();
  let release!: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const port = await listen((request, response) => {
    running.push(request.url ?? '');
    tell();
    void released.then(() => response.end(`[${request.method} ${request.url}]`));
  });
  return { port, running, release, asked: happened };
}

describe('requests that a client pipelines', () => {
  it('run one after the other, and are answered in their order', async () => {
    const gateway = await startGateway();
    const origin = await heldOrigin();
    await startAgent(gateway, { origin: `http://127.0.0.1:${origin.port}` });
    const client = await clientOf(gateway);
    const answers = text(client);
    client.write(get('/1') + get('/2') + get('/3', 'Connection: close\r\n'));
    await origin.asked;
    await ask({ port: gateway.port, host: 'nobody.example' }); // whatever else was due has happened
    expect([origin.running, gateway.gateway.running.requests]).toEqual([['/1'], 1]);
    origin.release();
    expect((await answers).match(/\[.*?\]/g)).toEqual(['[GET /1]', '[GET /2]', '[GET /3]']);
  });

  it.each([
    ['h2c', get('/2', 'Connection: Upgrade\r\nUpgrade: h2c\r\n')],
    ['an upgrade with a body', `${get('/2', 'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n')}abc`],
  ])('wait although %s is among them, which is served as if it had not asked', async (_what, second) => {
    const gateway = await startGateway();
    const origin = await heldOrigin();
    await startAgent(gateway, { origin: `http://127.0.0.1:${origin.port}` });
    const client = await clientOf(gateway);
    const answers = text(client);
    client.write(get('/1') + second);
    await origin.asked;
    client.write(get('/3', 'Connection: close\r\n'));
    origin.release();
    expect((await answers).match(/\[.*?\]/g)).toEqual(['[GET /1]', '[GET /2]', '[GET /3]']);
  });

  it('cost no listener each, whatever they ask for and however they are answered', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const gateway = await startGateway();
    await startAgent(gateway, { origin: (request, response) => response.end(`[${request.url}]`) });
    const client = await clientOf(gateway);
    let came = '';
    client.on('data', (chunk: Buffer) => {
      came += chunk.toString('latin1');
      client.emit('came');
    });
    for (let count = 0; count < 15; count += 1) {
      client.write(get(`/h2c-${count}`, 'Connection: Upgrade\r\nUpgrade: h2c\r\n'));
      client.write(`POST /${count} HTTP/1.1\r\nHost: app.example\r\nContent-Length: 3\r\n\r\n`);
      while (!came.includes(`[/${count}]`)) await once(client, 'came');
      client.write('abc'); // the rest, behind its answer
    }
    expect(came.match(/ 200 OK/g)?.length).toBe(30);
    expect(warnings).toEqual([]);
  });

  it.each(['', 'Proxy-Connection: keep-alive\r\n'])(
    'of HTTP/1.0 (%j) are one, unless it asks to keep its connection',
    async (more) => {
      const gateway = await startGateway();
      await startAgent(gateway, { origin: (request, response) => response.end(`[${request.url}]`) });
      const asked = `GET /1 HTTP/1.0\r\nHost: app.example\r\n${more}\r\n`;
      const answer = await askRaw(gateway.port, asked + get('/2', 'Connection: close\r\n'));
      expect(answer).toMatch(/^HTTP\/1.1 200 .*\r\nConnection: close\r\n.*\[\/1\]$/s);
      const kept = `GET /1 HTTP/1.0\r\nHost: app.example\r\nConnection: Keep-Alive\r\n${more}\r\n`;
      const both = await askRaw(gateway.port, kept + get('/2', 'Connection: close\r\n'));
      expect(both.match(/\[.*?\]/g)).toEqual(['[/1]', '[/2]']);
    },
  );

  it('of HTTP/1.0 with a transfer coding are one, also where they are refused: what follows may be their body', async () => {
    const gateway = await startGateway();
    const faulty = 'GET /1 HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    const answer = await askRaw(gateway.port, faulty + get('/2', 'Connection: close\r\n'));
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 400']);
  });

  it('are passed on byte for byte, also where they expect 100', async () => {
    const gateway = await startGateway();
    let raw: readonly string[] = [];
    const port = await listen((request, response) => {
      raw = request.rawHeaders;
      request.resume().on('end', () => response.end('ok'));
    });
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    const client = await clientOf(gateway);
    const answer = text(client);
    const head =
      'POST / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\nContent-Length: 3\r\nExpect: 100-continue\r\n';
    client.write(`${head}X-Name: caf\xe9 \xff\r\n\r\nabc`, 'latin1');
    expect(await answer).toMatch(/ok$/);
    expect(raw[raw.indexOf('X-Name') + 1]).toBe('caf\xe9 \xff');
  });

  it('and the dial of an agent behind them do not mix: it is refused behind the answer', async () => {
    const gateway = await startGateway();
    const origin = await heldOrigin();
    await startAgent(gateway, { origin: `http://127.0.0.1:${origin.port}` });
    const client = await clientOf(gateway);
    const answers = text(client);
    client.write(get('/1') + get('/connect', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'));
    await origin.asked;
    origin.release();
    expect(await answers).toMatch(/^HTTP\/1.1 200 .*\[GET \/1\].*HTTP\/1.1 401 /s);
  });

  it('all end when the client leaves: nothing runs that nobody waits for', async () => {
    const gateway = await startGateway();
    const origin = await heldOrigin();
    await startAgent(gateway, { origin: `http://127.0.0.1:${origin.port}` });
    const client = await clientOf(gateway);
    client.write(get('/1').repeat(50));
    await origin.asked;
    const served = gateway.logged('served');
    client.resetAndDestroy();
    expect(await served).toMatchObject({ outcome: 'abandoned' });
    expect([gateway.gateway.running.requests, origin.running.length]).toEqual([0, 1]);
  });

  it('all end when the client resets right behind the last of them, which looks like an end', async () => {
    const gateway = await startGateway();
    const origin = await heldOrigin();
    await startAgent(gateway, { origin: `http://127.0.0.1:${origin.port}` });
    const clients = await Promise.all(Array.from({ length: 20 }, () => clientOf(gateway)));
    const served = clients.map(() => gateway.logged('served'));
    for (const client of clients) client.write(get('/1'));
    await expect.poll(() => origin.running.length).toBe(20);
    for (const client of clients) {
      client.write(get('/2'));
      client.resetAndDestroy();
    }
    for (const one of await Promise.all(served)) expect(one).toMatchObject({ outcome: 'abandoned' });
    expect(gateway.gateway.running.requests).toBe(0);
  });

  it('and are more than maxPipelined close their connection behind the last that was taken', async () => {
    const gateway = await startGateway({ maxPipelined: 2 });
    const origin = await heldOrigin();
    await startAgent(gateway, { origin: `http://127.0.0.1:${origin.port}` });
    const client = await clientOf(gateway);
    const answers = text(client);
    client.write(Array.from({ length: 9 }, (_none, index) => get(`/${index}`)).join(''));
    await origin.asked;
    origin.release();
    expect((await answers).match(/\[.*?\]/g)).toEqual(['[GET /0]', '[GET /1]', '[GET /2]']);
  });

  it('and are too many, with a CONNECT behind them, are answered whole: a long answer goes on when its client takes more', async () => {
    const gateway = await startGateway({ maxPipelined: 2 });
    const long = Buffer.alloc(8_000_000, 'x');
    await startAgent(gateway, { origin: (_request, response) => response.end(long) });
    const client = await clientOf(gateway);
    client.write(`${get('/').repeat(4)}CONNECT app.example:80 HTTP/1.1\r\nHost: app.example\r\n\r\n`);
    expect((await text(client)).match(/x+/g)?.map(({ length }) => length)).toEqual([8_000_000, 8_000_000, 8_000_000]);
  });

  it('and of which the last is cut get their answers, and then 400: what is cut never runs', async () => {
    const gateway = await startGateway();
    const origin = await heldOrigin();
    await startAgent(gateway, { origin: `http://127.0.0.1:${origin.port}` });
    const client = await clientOf(gateway);
    const answers = text(client);
    client.end(`${get('/1')}${get('/2', 'Content-Length: 9\r\n')}half`);
    await origin.asked;
    await ask({ port: gateway.port, host: 'nobody.example' }); // whatever else was due has happened
    origin.release();
    expect(await answers).toMatch(/^HTTP\/1.1 200 .*\[GET \/1\].*HTTP\/1.1 400 /s);
    expect([gateway.gateway.running.requests, origin.running]).toEqual([0, ['/1']]);
  });

  it('and then something that is no HTTP get their answers, and then 400', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, { origin: (request, response) => response.end(`[${request.url}]`) });
    const answer = await askRaw(gateway.port, `${get('/1')}\0\0\0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 .*\[\/1\].*HTTP\/1.1 400 /s);
  });
});

describe('a client', () => {
  it('that ends its side behind its request is answered by an origin that does so too', async () => {
    const gateway = await startGateway();
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {}).resume();
      socket.on('end', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    await startAgent(gateway, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const client = await clientOf(gateway);
    client.end(get('/'));
    expect(await text(client)).toMatch(/hello$/);
  });

  it('of HTTP/1.0 that says chunked is answered, and what follows on its connection is not believed', async () => {
    const gateway = await startGateway();
    const seen: string[] = [];
    await startAgent(gateway, {
      origin: (request, response) => {
        seen.push(request.url ?? '');
        request.resume().on('end', () => response.end('done'));
      },
    });
    const faulty =
      'POST /1 HTTP/1.0\r\nHost: app.example\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n';
    expect(await askRaw(gateway.port, faulty + get('/2'))).toMatch(/done$/);
    expect(seen).toEqual(['/1']);
  });

  it('may name the server in its request line, and ask of the server as a whole', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, { origin: (request, response) => response.end(`${request.method} ${request.url}`) });
    expect((await ask({ port: gateway.port, path: 'http://app.example/x?y' })).body).toBe('GET /x?y');
    expect((await ask({ port: gateway.port, method: 'OPTIONS', path: '*' })).body).toBe('OPTIONS *');
  });

  it('gets a 413 that came before it had sent all, although the origin closes at once', async () => {
    const gateway = await startGateway();
    const port = await listenRaw((socket) => {
      socket.once('data', () => {
        socket.end('HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig');
        socket.once('finish', () => socket.destroy()); // with bytes unread: a reset follows
      });
    });
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    const client = await clientOf(gateway);
    client.write('POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 8000000\r\n\r\n');
    client.write(Buffer.alloc(4_000_000));
    expect(String((await once(client, 'data'))[0])).toMatch(/^HTTP\/1.1 413 /);
  });

  it('hears interim answers of any status, in bounds', async () => {
    const gateway = await startGateway();
    let count = 2;
    const port = await listenRaw((socket) => {
      socket.once('data', () => {
        const hint = 'HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /upload/1\r\n\r\n';
        socket.end(`${hint.repeat(count)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`);
      });
    });
    await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
    const once104 = await askRaw(gateway.port, get('/', 'Connection: close\r\n'));
    expect(once104.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 104', 'HTTP/1.1 104', 'HTTP/1.1 200']);
    count = 33;
    const tooMany = await askRaw(gateway.port, get('/', 'Connection: close\r\n'));
    expect(tooMany).toContain('ERR_TUNNEL_TOO_MANY_INTERIM');
  });

  it('whose route leads back to the gateway is answered 508', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, { origin: `http://127.0.0.1:${gateway.port}` });
    const answer = await ask({ port: gateway.port });
    expect([answer.status, answer.body]).toEqual([508, expect.stringContaining('ERR_TUNNEL_LOOP')]);
  });

  it('is told by a close frame, as its origin is, when the gateway closes', async () => {
    const { WebSocket, WebSocketServer } = await import('ws');
    const gateway = await startGateway();
    const http = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void http.close());
    await once(http, 'listening');
    const atOrigin = signal<number>();
    new WebSocketServer({ server: http }).on('connection', (socket) => socket.on('close', atOrigin.tell));
    await startAgent(gateway, { origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`, { headers: { Host: 'app.example' } });
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await gateway.gateway.close(400);
    expect([(await closed)[0], await atOrigin.happened]).toEqual([1001, 1001]);
  });
});
