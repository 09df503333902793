// http-proxy-3 (the maintained http-proxy) in front of an origin: it passes requests and WebSockets from one connection to another.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Carrier, carrierOf } from './support/carrier.ts';
import { ask } from './support/http-client.ts';
import { turns, twins } from './support/twins.ts';

/** `carrier` leads to a proxy, which reaches `origin` over another carrier of the same kind. Returns the other carrier. */
async function proxy(carrier: Carrier, origin: http.Server): Promise<Carrier> {
  const behind = await carrierOf(carrier.kind);
  onTestFinished(() => behind.close());
  await behind.serve(origin);
  const { host, port, agent } = behind.http();
  const passing = createProxyServer({ target: `http://${host}:${port}`, agent, xfwd: true });
  passing.on('error', (_error, _request, response) => {
    if (response instanceof http.ServerResponse) response.writeHead(502).end('no origin');
    else response.destroy();
  });
  const web = http.createServer((request, response) => passing.web(request, response));
  web.on('upgrade', (request, socket, head) => passing.ws(request, socket, head));
  await carrier.serve(web);
  return behind;
}

twins(
  'requests and responses pass whole, with the address of the client',
  async (carrier) => {
    const forwarded: unknown[] = [];
    const origin = http.createServer((request, response) => {
      forwarded.push(request.headers['x-forwarded-for'], request.headers['x-forwarded-proto']);
      request.pipe(response);
    });
    await proxy(carrier, origin);
    const payload = randomBytes(1_000_000).toString('hex');
    const { status, body } = await ask(carrier.http(), payload);
    return { status, whole: body === payload, forwarded };
  },
  { status: 200, whole: true, forwarded: ['127.0.0.1', 'http'] },
);

twins(
  'a WebSocket and its end pass',
  async (carrier) => {
    const origin = http.createServer();
    const wss = new WebSocketServer({ server: origin });
    wss.on('connection', (ws) => ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary })));
    await proxy(carrier, origin);
    const socket = await carrier.dial();
    const ws = new WebSocket('ws://inside.example/', { createConnection: () => socket });
    await once(ws, 'open');
    ws.send('hello');
    const [message] = (await once(ws, 'message')) as [Buffer];
    ws.close(4002);
    const [code] = (await once(ws, 'close')) as [number];
    return [String(message), code];
  },
  ['hello', 4002],
);

twins(
  'if the origin is gone, the proxy answers',
  async (carrier) => {
    const behind = await proxy(carrier, http.createServer());
    behind.fail();
    await turns();
    return ask(carrier.http());
  },
  { status: 502, body: 'no origin' },
);

twins(
  'a client that goes away ends the request to the origin',
  async (carrier) => {
    const origin = http.createServer();
    await proxy(carrier, origin);
    const request = http.get(carrier.http()).on('error', () => {});
    const [, response] = (await once(origin, 'request')) as [unknown, http.ServerResponse];
    request.destroy();
    await once(response, 'close');
    return response.writableFinished;
  },
  false,
);
