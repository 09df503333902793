// An agent that dials through a proxy, as its environment says.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Targets } from '../../src/agent/targets.ts';
import { TunnelAgent } from '../../src/agent/tunnel-agent.ts';
import { certFile, keyFile } from '../support/certificate.ts';
import { ask, listen, listenRaw } from '../support/http.ts';
import { Logged, ready, start } from '../support/programs.ts';
import { freePort, HOST, SECRET, startGateway, tokenFor } from '../support/tunnel.ts';

afterEach(() => vi.unstubAllEnvs());

interface Proxy {
  readonly port: number;
  /** What it was asked to connect to, and by whom. */
  readonly asked: { readonly target: string | undefined; readonly authorization: string | undefined }[];
}

/** Takes CONNECT, or answers it with `refusal`. */
async function startProxy(refusal?: string): Promise<Proxy> {
  const asked: Proxy['asked'] = [];
  const sockets = new Set<Duplex>();
  const server = createServer().on('connect', (request: IncomingMessage, client: Duplex) => {
    asked.push({ target: request.url, authorization: request.headers['proxy-authorization'] });
    sockets.add(client.on('error', () => {}));
    if (refusal !== undefined) {
      client.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const gateway: Socket = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      gateway.pipe(client).pipe(gateway);
    });
    sockets.add(gateway.on('error', () => {}));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

interface Dialing {
  readonly told: Readonly<Record<string, unknown>>[];
  /** Resolves when it has told so much. */
  tells(count: number): Promise<void>;
  /** Whether it has given up. */
  hasEnded: boolean;
}

/** An agent that has dialed once. */
async function dialing(gateway: string, target = 'http://127.0.0.1:1'): Promise<Dialing> {
  const told: Dialing['told'] = [];
  let heard = (): void => {};
  const agent = new TunnelAgent({
    gateways: [gateway],
    token: tokenFor('alpha', [HOST]),
    targets: Targets.parse([target]),
    log: (event, fields) => {
      told.push({ event, ...fields });
      heard();
    },
  });
  onTestFinished(() => agent.close(0));
  const tells = async (count: number): Promise<void> => {
    while (told.length < count) {
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
  };
  const one: Dialing = { told, tells, hasEnded: false };
  agent.ended.catch(() => {
    one.hasEnded = true;
  });
  await agent.dialed;
  return one;
}

describe('an agent whose environment names a proxy', () => {
  it('dials through it, with the user and password of its URL', async () => {
    const gateway = await startGateway();
    const proxy = await startProxy();
    vi.stubEnv('HTTP_PROXY', `http://us%40r:p%3Aw@127.0.0.1:${proxy.port}`);
    vi.stubEnv('NO_PROXY', '');
    const origin = await listen((_request, response) => response.end('served'));
    const joined = gateway.logged('agent connected');
    await dialing(`ws://127.0.0.1:${gateway.port}/connect`, `http://127.0.0.1:${origin}`);
    await joined;
    expect((await ask({ port: gateway.port })).body).toBe('served');
    const authorization = `Basic ${Buffer.from('us@r:p:w').toString('base64')}`;
    expect(proxy.asked).toEqual([{ target: `127.0.0.1:${gateway.port}`, authorization }]);
  });

  it('and names its gateway as one without, dials directly', async () => {
    const gateway = await startGateway();
    const proxy = await startProxy();
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${proxy.port}`);
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    const joined = gateway.logged('agent connected');
    await dialing(`ws://127.0.0.1:${gateway.port}/connect`);
    await joined;
    expect(proxy.asked).toEqual([]);
  });

  it.each([
    ['403 Forbidden', 'answered 403 Forbidden'],
    ['401 Unauthorized', 'answered 401 Unauthorized'],
    ['407 Proxy Authentication Required', 'answered 407 Proxy Authentication Required: give it user and password'],
    ['502 Bad Gateway', 'answered 502 Bad Gateway'],
  ])('that answers %s goes on and says so: the word of a proxy is none of the gateway', async (refusal, why) => {
    const proxy = await startProxy(refusal);
    vi.stubEnv('HTTP_PROXY', `http://user:secret@127.0.0.1:${proxy.port}`);
    vi.stubEnv('NO_PROXY', '');
    const dialed = await dialing('ws://gateway.example/connect');
    expect(dialed.told).toEqual([
      {
        event: 'dials again',
        gateway: 'ws://gateway.example/connect',
        inMs: expect.any(Number),
        why: expect.any(String),
      },
    ]);
    expect(dialed.told[0]?.why).toContain(`the proxy http://127.0.0.1:${proxy.port} ${why}`);
    expect(dialed.told[0]?.why).not.toContain('secret');
    await dialed.tells(2);
    expect(dialed.hasEnded).toBe(false);
  });

  it.each(['socks5://127.0.0.1:1', 'http://a b'])('by %j says what was expected, and goes on', async (proxy) => {
    vi.stubEnv('HTTP_PROXY', proxy);
    vi.stubEnv('NO_PROXY', '');
    const dialed = await dialing('ws://gateway.example/connect');
    expect(dialed.told[0]?.why).toContain('expected HTTP_PROXY to be an http: or https: URL');
    expect(dialed.hasEnded).toBe(false);
  });

  it('where nobody listens goes on and says so', async () => {
    const port = await freePort();
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${port}`);
    vi.stubEnv('NO_PROXY', '');
    const dialed = await dialing('ws://gateway.example/connect');
    expect(dialed.told[0]?.why).toMatch(
      new RegExp(`the proxy http://127.0.0.1:${port} cannot be used, .*ECONNREFUSED`),
    );
  });

  it('that takes the connection and says nothing leaves none behind when it gives up', async () => {
    const closed: Promise<unknown>[] = [];
    const port = await listenRaw((socket) => void closed.push(once(socket.resume(), 'close')));
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${port}`);
    vi.stubEnv('NO_PROXY', '');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const dialed = dialing('ws://gateway.example/connect');
    while (closed.length === 0) await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await dialed).told[0]?.why).toContain('did not answer the upgrade within 10000 ms');
    await closed[0];
  });
});

it('an agent dials wss: through HTTPS_PROXY, and speaks TLS with the gateway behind it', async () => {
  const origin = await listen((_request, response) => response.end('served'));
  const proxy = await startProxy();
  const tls = ['--tls-cert', certFile, '--tls-key', keyFile];
  const gateway = start('gateway', ['--port', '0', '--admin-port', 'none', ...tls], { env: { TUNNEL_SECRET: SECRET } });
  const port = new URL((await ready(gateway)).url).port;
  const logged = new Logged(gateway);
  const args = ['--gateway', `wss://localhost:${port}/connect`, '--target', `http://127.0.0.1:${origin}`];
  const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: '', NODE_EXTRA_CA_CERTS: certFile };
  start('agent', args, { env: { ...env, TUNNEL_TOKEN: tokenFor('alpha') } });
  expect(await logged.next('agent connected')).toMatchObject({ agent: 'alpha' });
  expect(proxy.asked).toMatchObject([{ target: `localhost:${port}` }]);
});
