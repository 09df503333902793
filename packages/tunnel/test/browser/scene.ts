// What the pictures of the documentation show: a gateway with agents of different weight under real requests of mixed sizes, one of them
// draining, one that takes streams and never answers. Everything is in this process, over real sockets.
import { randomBytes } from 'node:crypto';
import { once, setMaxListeners } from 'node:events';
import { createServer as createHttpServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { dial } from '@zishuo/yamux-websocket';
import { AdminServer } from '../../src/admin/admin-server.ts';
import { Targets } from '../../src/agent/targets.ts';
import { TunnelAgent } from '../../src/agent/tunnel-agent.ts';
import { TunnelGateway } from '../../src/gateway/tunnel-gateway.ts';
import { signToken } from '../../src/token.ts';

const SECRET = 'the secret of the pictures';
const TOKEN = 'the-token-of-the-pictures';
const WEB = ['shop.example', 'shop.example/api', 'media.example'];

const AGENTS = [
  { agent: 'berlin', weight: 5, connections: 2, routes: [...WEB, 'tcp:postgres'] },
  { agent: 'lisbon', weight: 2, connections: 1, routes: WEB },
  { agent: 'oslo', weight: 1, connections: 1, routes: WEB },
] as const;
/** Takes streams and never answers. */
const STUCK = { agent: 'porto', weight: 1, routes: ['reports.example'] };

const CONCURRENCY = 14;

export class Scene {
  readonly gateway: TunnelGateway;
  /** Of the dashboard, with the token. */
  readonly url: string;
  readonly #port: number;
  readonly #admin: AdminServer;
  readonly #closing = new AbortController();
  readonly #ends: (() => unknown)[] = [];

  static async start(): Promise<Scene> {
    const gateway = await TunnelGateway.listen({
      secret: SECRET,
      balance: 'weighted',
      affinity: 'header:x-tenant',
      openTimeout: 1_000,
      maxStreamsPerSession: 100,
      tcp: [{ name: 'postgres', port: 0 }],
      log: () => {},
    });
    const admin = await AdminServer.listen({ gateway, token: TOKEN });
    const scene = new Scene(gateway, admin);
    const web = await listening(scene.#webOrigin());
    const database = await listening(createTcpServer((socket) => socket.on('error', () => {}).pipe(socket)) as Server);
    scene.#ends.push(
      () => web.server.closeAllConnections(),
      () => web.server.close(),
      () => database.server.close(),
    );
    const targets = [`http://127.0.0.1:${web.port}`, `tcp:postgres=tcp://127.0.0.1:${database.port}`];
    for (const { connections, ...claims } of AGENTS) {
      const agent = new TunnelAgent({
        gateways: [scene.#agentUrl],
        token: tokenOf(claims),
        targets: Targets.parse(targets),
        connections,
        log: () => {},
      });
      scene.#ends.push(() => agent.close(0));
      await agent.connected;
    }
    const stuck = await dial(scene.#agentUrl, { headers: { Authorization: `Bearer ${tokenOf(STUCK)}` } });
    scene.#ends.push(() => stuck.destroy());
    gateway.revocations.revoke('agent', 'madrid');
    return scene;
  }

  private constructor(gateway: TunnelGateway, admin: AdminServer) {
    this.gateway = gateway;
    this.#admin = admin;
    this.#port = Number(new URL(gateway.url).port);
    this.url = `${admin.url}#token=${TOKEN}`;
  }

  /** A minute of work, after which every plot is full. */
  async play(): Promise<void> {
    const { signal } = this.#closing;
    setMaxListeners(0, signal); // every request listens
    for (let worker = 0; worker < CONCURRENCY; worker += 1) void this.#work(worker).catch(() => {});
    const database = connect(Number(this.gateway.tcpPorts.get('postgres')), '127.0.0.1').on('error', () => {});
    this.#ends.push(() => database.destroy());
    await sleep(48_000, undefined, { signal });
    this.gateway.routes.pool.drainSession(keyOf(this.gateway, 'oslo'), 'kernel update of this host');
    await sleep(14_000, undefined, { signal });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const end of this.#ends) await end();
    await this.gateway.close(0);
    await this.#admin.close();
  }

  get #agentUrl(): string {
    return `ws://127.0.0.1:${this.#port}/connect`;
  }

  /** One request after the other, in waves. */
  async #work(worker: number): Promise<void> {
    const { signal } = this.#closing;
    for (let count = 0; !signal.aborted; count += 1) {
      const wave = 1 + Math.sin(performance.now() / 7_000 + worker);
      await sleep(60 + 220 * wave * Math.random());
      const isUpload = count % 4 === 0;
      const size = Math.round(2 ** (10 + Math.random() * (isUpload ? 7 : 9)));
      const [host, path] = isUpload ? ['shop.example', '/api/orders'] : ['media.example', `/${size}`];
      await this.#ask(worker % 4 === 0 ? 'shop.example' : host, path, isUpload ? randomBytes(size) : undefined);
      if (worker === 0 && count % 40 === 7) await this.#ask('old.example', '/', undefined);
      if (worker === 1 && count % 30 === 7) await this.#ask('reports.example', '/daily', randomBytes(400));
    }
  }

  /** What it came to is for the dashboard to show. */
  async #ask(host: string, path: string, body: Buffer | undefined): Promise<void> {
    const request = httpRequest({
      port: this.#port,
      host: '127.0.0.1',
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers: { Host: host, 'Content-Length': body?.length ?? 0 },
      signal: this.#closing.signal,
    });
    const closed = new Promise((resolve) => request.once('close', resolve));
    request.on('error', () => {}).on('response', (response) => response.on('error', () => {}).resume());
    request.end(body);
    await closed;
  }

  #webOrigin(): Server {
    return createHttpServer((request, response) => {
      const size = Number(request.url?.slice(1)) || 1_200;
      request.resume().once('end', () => {
        // As long as a database would take.
        setTimeout(() => response.end(randomBytes(size)), 20 + 180 * Math.random() ** 3);
      });
    });
  }
}

function keyOf(gateway: TunnelGateway, agent: string): string {
  for (const { claims, ref } of gateway.routes.sessions) if (claims.agent === agent) return ref.key;
  throw new Error(`${agent} has no session`);
}

function tokenOf(claims: {
  readonly agent: string;
  readonly weight: number;
  readonly routes: readonly string[];
}): string {
  return signToken({ ...claims, tenant: 'acme', expires: Date.now() + 3_600_000 }, SECRET);
}

async function listening(server: Server): Promise<{ readonly server: Server; readonly port: number }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}
