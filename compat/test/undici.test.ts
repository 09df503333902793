// undici: it manages its connections, and a connector opens streams for it. The connector is the one in docs/how-to/http-over-a-session.md.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Agent, connect, fetch, Pool, RetryAgent, request, upgrade } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { type Carrier, carrierOf } from './support/carrier.ts';
import { certificate, NAME } from './support/certificate.ts';
import { twins, until } from './support/twins.ts';
import { connector } from './support/undici-connector.ts';

const { cert, key } = await certificate();

interface Target {
  readonly origin: string;
  readonly dispatcher: Agent;
}

function target(carrier: Carrier, options: Agent.Options = {}, scheme = 'http'): Target {
  const { host, port } = carrier.http();
  const { session } = carrier;
  // undici passes certificate options only to its own connector.
  const connect = session ? connector(session) : { ca: cert, servername: NAME };
  const dispatcher = new Agent({ connect, ...options });
  onTestFinished(() => dispatcher.destroy());
  return { origin: `${scheme}://${host}:${port}`, dispatcher };
}

function echo(): http.Server {
  return http.createServer((incoming, response) => void pipeline(incoming, response).catch(() => {}));
}

function codeOf(error: Error & { code?: unknown }): string {
  return typeof error.code === 'string' ? error.code : error.name;
}

test('the documentation shows this connector', () => {
  const page = readFileSync(new URL('../../docs/how-to/http-over-a-session.md', import.meta.url), 'utf8');
  const source = readFileSync(new URL('./support/undici-connector.ts', import.meta.url), 'utf8');
  expect(page).toContain(source);
});

twins(
  '1,000 requests, 20 connections',
  async (carrier) => {
    let connections = 0;
    const web = echo().on('connection', () => {
      connections += 1;
    });
    await carrier.serve(web);
    const { origin, dispatcher } = target(carrier, { connections: 20 });
    const sum = await Promise.all(
      Array.from({ length: 1000 }, async (_, at) => {
        const { body } = await request(origin, { dispatcher, method: 'POST', body: `number ${at}` });
        return (await body.text()) === `number ${at}`;
      }),
    );
    return { right: sum.filter(Boolean).length, connections };
  },
  { right: 1000, connections: 20 },
);

twins(
  'pipelined requests are answered in their order, on one connection',
  async (carrier) => {
    const seen: Array<string | undefined> = [];
    const web = http.createServer((incoming, response) => {
      seen.push(incoming.url);
      response.end(incoming.url);
    });
    await carrier.serve(web);
    const { origin, dispatcher } = target(carrier, { pipelining: 10, connections: 1 });
    const paths = Array.from({ length: 50 }, (_, at) => `/${at}`);
    const answers = await Promise.all(
      paths.map(async (path) => (await request(origin + path, { dispatcher })).body.text()),
    );
    return { inOrder: String(seen) === String(paths), right: String(answers) === String(paths) };
  },
  { inOrder: true, right: true },
);

twins(
  'fetch() streams a body up and down',
  async (carrier) => {
    await carrier.serve(echo());
    const { origin, dispatcher } = target(carrier);
    const payload = randomBytes(3_000_000);
    const body = new Blob([payload]).stream() as ReadableStream;
    const response = await fetch(origin, { dispatcher, method: 'POST', body, duplex: 'half' });
    return { status: response.status, whole: payload.equals(Buffer.from(await response.arrayBuffer())) };
  },
  { status: 200, whole: true },
);

for (const how of ['upgrade', 'CONNECT'] as const) {
  twins(
    `${how}: bytes that come with the response, and then an echo`,
    async (carrier) => {
      const web = http.createServer();
      web.on(how === 'upgrade' ? 'upgrade' : 'connect', (_incoming, socket) => {
        const status = how === 'upgrade' ? '101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo' : '200 OK';
        socket.write(`HTTP/1.1 ${status}\r\n\r\nfirst `);
        socket.pipe(socket);
      });
      await carrier.serve(web);
      const { origin, dispatcher } = target(carrier);
      const opened = { dispatcher, path: '/' };
      const { socket } =
        how === 'upgrade' ? await upgrade(origin, { ...opened, protocol: 'echo' }) : await connect(origin, opened);
      socket.end('second');
      return text(socket);
    },
    'first second',
  );
}

twins(
  'an aborted request ends its connection, and the next request gets a new one',
  async (carrier) => {
    let aborted = 0;
    const web = http.createServer((incoming, response) => {
      if (incoming.url === '/') response.end('answer');
      else response.on('close', () => (aborted += 1));
    });
    await carrier.serve(web);
    const { origin, dispatcher } = target(carrier, { connections: 1 });
    const controller = new AbortController();
    const waiting = request(`${origin}/for-ever`, { dispatcher, signal: controller.signal }).catch(codeOf);
    await once(web, 'request');
    controller.abort();
    const error = await waiting;
    await until(() => aborted === 1);
    return { error, next: await (await request(origin, { dispatcher })).body.text() };
  },
  { error: 'AbortError', next: 'answer' },
);

twins(
  'a request is aborted before it has a connection, and the next is served',
  async (carrier) => {
    await carrier.serve(echo());
    const { origin, dispatcher } = target(carrier, { connections: 1 });
    const controller = new AbortController();
    const early = request(origin, { dispatcher, signal: controller.signal }).catch(codeOf);
    controller.abort();
    return { error: await early, next: (await request(origin, { dispatcher })).statusCode };
  },
  { error: 'AbortError', next: 200 },
);

twins(
  'headersTimeout ends the wait for a silent server',
  async (carrier) => {
    await carrier.serve(http.createServer(() => {}));
    const { origin, dispatcher } = target(carrier, { headersTimeout: 50 });
    return request(origin, { dispatcher }).then(() => 'answered', codeOf);
  },
  'UND_ERR_HEADERS_TIMEOUT',
);

twins(
  'a truncated response never looks complete',
  async (carrier) => {
    const web = http.createServer((_incoming, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('beginning');
      setImmediate(() => response.destroy());
    });
    await carrier.serve(web);
    const { origin, dispatcher } = target(carrier);
    return request(origin, { dispatcher })
      .then(({ body }) => body.text())
      .then(
        () => 'whole',
        () => 'failed',
      );
  },
  'failed',
);

twins(
  'a pool closes when its requests are done',
  async (carrier) => {
    const web = http.createServer();
    await carrier.serve(web);
    const { origin } = target(carrier);
    const pool = new Pool(origin, { connect: carrier.session ? connector(carrier.session) : {} });
    const answer = pool.request({ path: '/', method: 'GET' }).then(({ body }) => body.text());
    const [, response] = (await once(web, 'request')) as [unknown, http.ServerResponse];
    const closed = pool.close();
    response.end('late');
    await closed;
    return answer;
  },
  'late',
);

twins(
  'https: TLS inside the connection, and an untrusted server is refused',
  async (carrier) => {
    await carrier.serve(https.createServer({ cert, key }, (_incoming, response) => response.end('secure')));
    const { session } = carrier;
    const { origin } = target(carrier, {}, 'https');
    const trusting = session ? connector(session, { ca: cert, servername: NAME }) : { ca: cert, servername: NAME };
    const answers: string[] = [];
    for (const connect of [trusting, session ? connector(session) : { servername: NAME }]) {
      const dispatcher = new Agent({ connect });
      onTestFinished(() => dispatcher.destroy());
      answers.push(await request(origin, { dispatcher }).then(({ body }) => body.text(), codeOf));
    }
    return answers;
  },
  ['secure', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
);

twins(
  'RetryAgent retries a truncated response, if it has the code of a reset in its list',
  async (carrier) => {
    let tries = 0;
    const web = http.createServer((incoming, response) => {
      tries += 1;
      if (tries < 3) incoming.socket.destroy();
      else response.end('answer');
    });
    await carrier.serve(web);
    const { origin, dispatcher: agent } = target(carrier);
    const errorCodes = ['UND_ERR_SOCKET', 'ECONNRESET', 'ERR_YAMUX_STREAM_RESET'];
    const dispatcher = new RetryAgent(agent, { minTimeout: 1, errorCodes });
    return { answer: await (await request(origin, { dispatcher })).body.text(), tries };
  },
  { answer: 'answer', tries: 3 },
);

test('requests fail with the error of a session that has ended', async () => {
  const carrier = await carrierOf('streams');
  carrier.close();
  const { origin, dispatcher } = target(carrier);
  await expect(request(origin, { dispatcher })).rejects.toMatchObject({ code: 'ERR_YAMUX_SESSION_CLOSED' });
});

test('a stream that cannot be opened in time is a connect timeout', async () => {
  const carrier = await carrierOf('streams', { maxUnacknowledged: 1 });
  onTestFinished(() => carrier.close());
  const first = await carrier.dial();
  first.on('error', () => {});
  const { session } = carrier;
  if (!session) throw new Error('Streams have a session');
  const { origin, dispatcher } = target(carrier, { connect: connector(session, {}, 20) });
  await expect(request(origin, { dispatcher })).rejects.toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT' });
  expect(session.stats().waitingOpens).toBe(0);
});
