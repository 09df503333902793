// Gateways that serve together: what comes to one is served by agents that have dialed another, as if they had dialed this one.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { serveHttp } from '@zishuo/yamux/http';
import { memoryDirectory, type Placement, type SessionDirectory } from '@zishuo/yamux-fleet';
import { dial } from '@zishuo/yamux-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServedRequest } from '../../src/gateway/served.ts';
import { type FleetGateway, joinFleet, settled, startFleet } from '../support/fleet.ts';
import { ask, listenRaw } from '../support/http.ts';
import { freePort, signal, startAgent, tokenFor } from '../support/tunnel.ts';

const echo = (request: IncomingMessage, response: ServerResponse): void => void request.pipe(response);
const saying =
  (what: string) =>
  (_request: IncomingMessage, response: ServerResponse): void =>
    void response.end(what);

async function two(options = {}): Promise<[FleetGateway, FleetGateway]> {
  const [a, b] = await startFleet(2, options);
  return [a as FleetGateway, b as FleetGateway];
}

describe('a request that comes to a gateway without the agent', () => {
  it('is served by way of the gateway that has it, which the log names', async () => {
    const [a, b] = await two();
    await startAgent(b, { origin: echo });
    await settled([a, b]);
    const served = once(a.gateway, 'served') as Promise<[ServedRequest]>;
    const answer = await ask({ port: a.port, method: 'POST', body: 'hello' });
    expect([answer.status, answer.body, answer.headers['x-served-by']]).toEqual([200, 'hello', 'alpha']);
    expect((await served)[0]).toMatchObject({ service: 'app.example', agent: 'alpha', via: 'b', outcome: 'complete' });
    expect(a.fleet.stats().forwardsOut).toBe(1);
    expect(b.fleet.stats().forwardsIn.accepted).toBe(1);
  });

  it('is served by a gateway that has joined since the last beat of this one', async () => {
    const directory = memoryDirectory();
    const [a] = (await startFleet(1, {}, directory)) as [FleetGateway];
    const b = await joinFleet('b', {}, directory);
    await startAgent(b, { origin: echo });
    await expect.poll(() => b.fleet.stats().namesUntold).toBe(0);
    expect((await ask({ port: a.port, method: 'POST', body: 'hello' })).body).toBe('hello');
  });

  it('carries bodies of any length, both ways', async () => {
    const [a, b] = await two();
    await startAgent(b, { origin: echo });
    await settled([a, b]);
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const answer = await ask({ port: a.port, method: 'POST', body: Readable.from(Array<Buffer>(100).fill(chunk)) });
    expect([answer.status, answer.body.length]).toEqual([200, 100 * chunk.length]);
  });

  it('is served by an agent that speaks HTTP/1.1 alone', async () => {
    const [a, b] = await two();
    const server = createServer(saying('of old'));
    const session = await dial(`ws://127.0.0.1:${b.port}/connect`, {
      headers: { Authorization: `Bearer ${tokenFor('old')}` },
    });
    onTestFinished(() => session.destroy());
    serveHttp(server, session);
    await settled([a, b]);
    expect((await ask({ port: a.port })).body).toBe('of old');
  });

  it('may be an upgrade', async () => {
    const [a, b] = await two();
    const origin = createServer();
    origin.on('upgrade', (_request, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    onTestFinished(() => void origin.close());
    await startAgent(b, { origin: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` });
    await settled([a, b]);
    const client = connect({ port: a.port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void client.destroy());
    client.end('GET / HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello');
    expect(await text(client)).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\nhello$/s);
  });

  it('may be a TCP connection', async () => {
    const [a, b] = await two({ tcp: [{ name: 'echo', port: 0 }] });
    const port = await listenRaw((socket) => void socket.pipe(socket));
    await startAgent(b, { routes: ['tcp:echo'], origin: `tcp:echo=tcp://127.0.0.1:${port}` });
    await settled([a, b]);
    const client = connect({ port: a.gateway.tcpPorts.get('echo') ?? 0, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void client.destroy());
    client.end('hello');
    expect(await text(client)).toBe('hello');
  });

  it('is answered 404 where no gateway has ever had an agent for it, and 503 where they are gone', async () => {
    const [a, b] = await two();
    const { agent } = await startAgent(b, { origin: echo });
    await settled([a, b]);
    expect((await ask({ port: a.port, host: 'other.example' })).status).toBe(404);
    expect((await ask({ port: a.port })).status).toBe(200);
    const gone = b.logged('agent gone');
    await agent.close();
    await gone;
    const answer = await ask({ port: a.port });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.body).toContain('ERR_YAMUX_POOL_NO_MATCHING_SESSION');
  });

  it('waits, with agentWait, until an agent has come to any gateway', async () => {
    const [a, b] = await two({ agentWait: 10_000 });
    const { agent } = await startAgent(b, { origin: echo });
    await settled([a, b]);
    await ask({ port: a.port });
    const gone = b.logged('agent gone');
    await agent.close();
    await gone;
    const answered = ask({ port: a.port });
    await expect.poll(() => a.gateway.routes.pool.stats({ sessions: false }).waitingOpens).toBe(1);
    await startAgent(b, { name: 'back', origin: saying('back') });
    expect((await answered).body).toBe('back');
  });

  it('is answered 503 where the agent is full, as at its own gateway', async () => {
    const [a, b] = await two({ maxStreamsPerSession: 1 });
    const held = signal<() => void>();
    await startAgent(b, { origin: (_request, response) => held.tell(() => response.end('held')) });
    await settled([a, b]);
    const first = ask({ port: a.port });
    const release = await held.happened;
    const answer = await ask({ port: a.port });
    expect([answer.status, answer.body]).toEqual([503, expect.stringContaining('ERR_YAMUX_POOL_NO_AVAILABLE_SESSION')]);
    release();
    expect((await first).body).toBe('held');
  });

  it('counts for the tenant at the gateway that has its agents', async () => {
    const [a, b] = await two({ maxRequestsPerTenant: 1 });
    const held = signal<() => void>();
    await startAgent(b, {
      origin: ({ url }, response) => {
        if (url === '/held') held.tell(() => response.end('held'));
        else response.end();
      },
    });
    await settled([a, b]);
    const first = ask({ port: b.port, path: '/held' });
    const release = await held.happened;
    const answer = await ask({ port: a.port });
    expect([answer.status, answer.body]).toEqual([503, expect.stringContaining('ERR_TUNNEL_TENANT_LIMIT')]);
    release();
    await first;
    expect((await ask({ port: a.port })).status).toBe(200);
    expect((await ask({ port: a.port })).status).toBe(200);
  });
});

describe('a route of another gateway', () => {
  it('with a path comes before one of this gateway without, and an exact host before *.', async () => {
    const [a, b] = await two();
    await startAgent(a, { name: 'root', origin: saying('root'), routes: ['app.example', '*.wide.example'] });
    await startAgent(b, { name: 'api', origin: saying('api'), routes: ['app.example/api', 'x.wide.example'] });
    await settled([a, b]);
    const at = async (host: string, path: string): Promise<string> => (await ask({ port: a.port, host, path })).body;
    expect(await at('app.example', '/')).toBe('root');
    expect(await at('app.example', '/apix')).toBe('root');
    expect(await at('app.example', '/api/users')).toBe('api');
    expect(await at('app.example', '/api')).toBe('api');
    expect(await at('y.wide.example', '/')).toBe('root');
    expect(await at('x.wide.example', '/')).toBe('api');
  });

  it('for *. serves every host below it', async () => {
    const [a, b] = await two();
    await startAgent(b, { origin: saying('wide'), routes: ['*.example', '*.deep.example/api'] });
    await settled([a, b]);
    expect((await ask({ port: a.port, host: 'one.example' })).body).toBe('wide');
    expect((await ask({ port: a.port, host: 'x.deep.example', path: '/api/1' })).body).toBe('wide');
    expect((await ask({ port: a.port, host: 'one.elsewhere' })).status).toBe(404);
  });

  it('is served by nobody whose token does not name it, whatever the directory says', async () => {
    const believed = memoryDirectory();
    const lies: SessionDirectory = {
      beat: (self, lease) => believed.beat(self, lease),
      publish: (entries) => believed.publish(entries),
      watch: (listener) => believed.watch(listener),
      leave: (node) => believed.leave(node),
      close: () => believed.close(),
      // Whatever is asked for is where app.example is.
      lookup: (): Promise<readonly Placement[]> => believed.lookup('app.example'),
    };
    const [a, b] = (await startFleet(2, {}, lies)) as [FleetGateway, FleetGateway];
    let seen = 0;
    await startAgent(b, {
      origin: (_request, response) => {
        seen += 1;
        response.end();
      },
    });
    await settled([a, b]);
    const answer = await ask({ port: a.port, host: 'bank.example' });
    expect([answer.status, seen]).toEqual([503, 0]);
    expect((await ask({ port: a.port })).status).toBe(200);
  });
});

describe('a target behind another gateway that refuses connections', () => {
  it('is out of the choice there, and costs no request', async () => {
    const [a, b] = await two();
    const down = await freePort();
    await startAgent(b, { name: 'down', origin: `http://127.0.0.1:${down}` });
    await startAgent(b, { name: 'well', origin: saying('well') });
    await settled([a, b]);
    for (let turn = 0; turn < 8; turn += 1) {
      const answer = await ask({ port: a.port, method: turn % 2 === 0 ? 'GET' : 'POST', body: 'x' });
      expect([answer.status, answer.body]).toEqual([200, 'well']);
    }
    const [refusing] = [...b.gateway.routes.sessions].filter(
      (session) => b.gateway.routes.refusing(session).length > 0,
    );
    expect(refusing?.claims.agent).toBe('down');
  });

  it('is answered 502 where there is no other, and served as soon as it is back', async () => {
    const [a, b] = await two();
    const port = await freePort();
    await startAgent(b, { origin: `http://127.0.0.1:${port}` });
    await settled([a, b]);
    for (let turn = 0; turn < 3; turn += 1) expect((await ask({ port: a.port })).status).toBe(502);
    const server = createServer(saying('back')).listen(port, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    expect((await ask({ port: a.port })).body).toBe('back');
  });
});

describe('what keeps a client on one agent', () => {
  it('by a header is the same at every gateway', async () => {
    const gateways = await startFleet(3, { affinity: 'header:x-user' });
    for (const [index, name] of ['one', 'two', 'three'].entries()) {
      await startAgent(gateways[index] as FleetGateway, { name, origin: saying(name) });
    }
    await settled(gateways);
    for (let user = 0; user < 6; user += 1) {
      const answers = await Promise.all(
        gateways.map(({ port }) => ask({ port, headers: ['X-User', `user ${user}`] }).then(({ body }) => body)),
      );
      expect(new Set(answers).size).toBe(1);
    }
  });

  it('by the cookie of a gateway is understood by another, which has no session of that agent', async () => {
    const [a, b] = await two({ affinity: 'sticky' });
    for (const name of ['one', 'two', 'three']) await startAgent(b, { name, origin: saying(name) });
    await startAgent(a, { name: 'four', origin: saying('four') });
    await settled([a, b]);
    for (let client = 0; client < 4; client += 1) {
      const first = await ask({ port: b.port });
      const [cookie = ''] = first.headers['set-cookie']?.[0]?.split(';') ?? [];
      const again = await ask({ port: a.port, headers: ['Cookie', cookie] });
      expect([again.body, again.headers['set-cookie']]).toEqual([first.body, undefined]);
    }
  });
});

describe('a gateway that goes', () => {
  it('when it is asked to, ends what others were given of it, and costs no request', async () => {
    const [a, b, c] = (await startFleet(3)) as [FleetGateway, FleetGateway, FleetGateway];
    const held = signal<() => void>();
    await startAgent(b, {
      origin: (request, response) => {
        if (request.url === '/held') held.tell(() => response.end('held'));
        else response.end('b');
      },
    });
    await startAgent(c, { name: 'other', origin: saying('c') });
    await settled([a, b, c]);
    const running = (async () => {
      for (;;) {
        const one = ask({ port: a.port, path: '/held' });
        const answered = await Promise.race([one.then(({ body }) => body), held.happened]);
        if (typeof answered !== 'string') return { release: answered, one };
      }
    })();
    const { release, one } = await running;
    const closed = b.gateway.close();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ port: a.port })));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['200 c']));
    release();
    expect((await one).body).toBe('held');
    await closed;
    expect(a.fleet.stats().nodes).toBe(3);
  });

  it('dead, loses nothing that can be asked for again', async () => {
    const [a, b, c] = (await startFleet(3)) as [FleetGateway, FleetGateway, FleetGateway];
    const held = signal();
    const { relay } = await startAgent(b, { origin: () => held.tell() });
    await settled([a, b, c]);
    const answered = ask({ port: a.port });
    await held.happened;
    await startAgent(c, { name: 'other', origin: saying('c') });
    await settled([a, b, c]);
    relay.cut(true); // the agent dies: b says that it was a whole session
    expect((await answered).body).toBe('c');
  });
});
