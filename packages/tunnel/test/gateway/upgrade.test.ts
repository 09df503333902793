// What asks for another protocol: WebSockets of the package ws, and protocols that nobody knows.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { askRaw } from '../support/http.ts';
import { type Gateway, type Relay, signal, startAgent, startGateway } from '../support/tunnel.ts';

/** A local server that answers upgrades as the test says. */
async function upgrading(onUpgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void): Promise<string> {
  const server = createServer((_request, response) => response.end('plain'));
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // a reset is what some tests are about
  });
  server.on('upgrade', onUpgrade);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const upgradeOf = (protocol: string): string =>
  `GET /up HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade, X-Hop\r\nX-Hop: 1\r\nUpgrade: ${protocol}\r\n\r\n`;

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

async function clientOf(gateway: Gateway): Promise<Socket> {
  const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

describe('a WebSocket through the tunnel', () => {
  async function tunnelled(): Promise<{
    gateway: Gateway;
    server: WebSocketServer;
    relay: Relay;
    open: () => WebSocket;
  }> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'chat.v2' });
    await once(server, 'listening');
    server.on('connection', (socket, request) => {
      socket.send(`hello ${String(request.headers['x-forwarded-for'])}`);
      socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
    });
    onTestFinished(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    const gateway = await startGateway();
    const { relay } = await startAgent(gateway, {
      origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    });
    const open = (): WebSocket => {
      const headers = { Host: 'app.example' };
      const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat`, ['chat.v1', 'chat.v2'], { headers });
      onTestFinished(() => socket.terminate());
      return socket;
    };
    return { gateway, server, relay, open };
  }

  it('is opened with its subprotocol, carries messages both ways, and is closed with its code', async () => {
    const { gateway, open } = await tunnelled();
    const socket = open();
    const [greeting] = (await once(socket, 'message')) as [Buffer];
    expect([socket.protocol, greeting.toString()]).toEqual(['chat.v2', 'hello 127.0.0.1']);
    const sent = Buffer.alloc(3_000_000, 'through the tunnel');
    socket.send(sent);
    const [echoed] = (await once(socket, 'message')) as [Buffer];
    expect(echoed.equals(sent)).toBe(true);
    const served = gateway.logged('served');
    socket.close(4001, 'bye');
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4001, 'bye']);
    expect(await served).toMatchObject({ kind: 'upgrade', status: 101, outcome: 'complete', agent: 'alpha' });
  });

  it('ends at both sides when its client goes without a word, and when its agent is lost', async () => {
    const { gateway, server, relay, open } = await tunnelled();
    const socket = open();
    await once(socket, 'message');
    const [atOrigin] = [...server.clients];
    const gone = once(atOrigin as WebSocket, 'close');
    socket.terminate();
    expect((await gone)[0]).toBe(1006);

    const other = open();
    await once(other, 'message');
    const cut = gateway.logged('served');
    const closed = once(other, 'close');
    other.on('error', () => {});
    relay.cut(true);
    expect((await closed)[0]).toBe(1006);
    expect(await cut).toMatchObject({ kind: 'upgrade', outcome: 'cut' });
  });
});

describe('an upgrade', () => {
  it('loses nothing that either side says in the packet of its head, and keeps half-close', async () => {
    const heard = signal<string>();
    const origin = await upgrading((_request, socket, head) => {
      socket.write(`${SWITCHING}early answer,`);
      let said = head.toString();
      socket.on('data', (data: Buffer) => {
        said += data.toString();
      });
      socket.on('end', () => {
        heard.tell(said);
        socket.end('late answer');
      });
    });
    const gateway = await startGateway();
    await startAgent(gateway, { origin });
    const client = await clientOf(gateway);
    client.end(`${upgradeOf('echo')}early words, late words`);
    const answer = await text(client);
    expect(answer).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
    expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toBe('early answer,late answer');
    expect(await heard.happened).toBe('early words, late words');
  });

  it('goes on with the headers of an upgrade and without those of the connection', async () => {
    const seen = signal<IncomingMessage>();
    const origin = await upgrading((request, socket) => {
      seen.tell(request);
      socket.end(SWITCHING);
    });
    const gateway = await startGateway();
    await startAgent(gateway, { origin });
    const answer = await askRaw(gateway.port, upgradeOf('echo'));
    const { headers } = await seen.happened;
    expect([headers.connection, headers.upgrade, headers['x-hop']]).toEqual(['Upgrade', 'echo', undefined]);
    expect([headers['x-forwarded-host'], headers['x-request-id']]).toEqual(['app.example', expect.any(String)]);
    expect(answer).toMatch(/\r\nConnection: Upgrade\r\n/i);
    expect(answer).toMatch(/\r\nX-Served-By: alpha\r\n/);
  });

  it('that the origin refuses gets its plain answer', async () => {
    const origin = await upgrading((_request, socket) => {
      socket.end('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!');
    });
    const gateway = await startGateway();
    await startAgent(gateway, { origin });
    const answer = await askRaw(gateway.port, upgradeOf('echo'));
    expect(answer).toMatch(/^HTTP\/1.1 426 .*\r\n\r\nno!$/s);
  });

  it('that no agent serves gets the answer of the gateway', async () => {
    const gateway = await startGateway();
    const answer = await askRaw(gateway.port, upgradeOf('echo'));
    expect(answer).toMatch(/^HTTP\/1.1 404 .*ERR_TUNNEL_UNKNOWN_ROUTE/s);
  });

  it('of HTTP/1.0 is served as if it had not asked', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, { origin: (request, response) => response.end(`[${request.headers.upgrade}]`) });
    const answer = await askRaw(gateway.port, upgradeOf('echo').replace('HTTP/1.1', 'HTTP/1.0'));
    expect(answer).toMatch(/^HTTP\/1.1 200 .*\[undefined\]$/s);
  });

  it('to HTTP/2 is served as plain HTTP, as a server that does not know it may', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, { origin: (_request, response) => response.end('plain') });
    const answer = await askRaw(
      gateway.port,
      'GET / HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 .*plain$/s);
  });

  it('on which nothing moves for too long is cut', async () => {
    const origin = await upgrading((_request, socket) => socket.write(SWITCHING));
    const gateway = await startGateway({ joinedIdleTimeout: 100 });
    await startAgent(gateway, { origin });
    const client = await clientOf(gateway);
    client.write(upgradeOf('echo'));
    client.resume();
    await expect(once(client, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
