// Streams as the sockets of others: node:http through the agent, TLS inside a stream, Web Streams, pipelines, stores of AsyncLocalStorage.

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { Duplex, PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import tls from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { httpAgent } from '../src/http.ts';
import type { YamuxSession } from '../src/index.ts';
import { settle } from './support/duplex-pair.ts';
import { sessionPair } from './support/pairs.ts';

const cleanUps: Array<() => void> = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
  await settle();
});

function pair(): { a: YamuxSession; b: YamuxSession } {
  const sessions = sessionPair();
  cleanUps.push(() => {
    sessions.a.destroy();
    sessions.b.destroy();
  });
  return sessions;
}

async function ask(options: http.RequestOptions, body?: Buffer): Promise<{ status: number | undefined; body: Buffer }> {
  const request = http.request({ host: 'inside', method: body ? 'POST' : 'GET', ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode, body: await buffer(response) };
}

function echoServer(session: YamuxSession): http.Server {
  const web = http.createServer((request, response) => void pipeline(request, response).catch(() => {}));
  session.on('stream', (stream) => web.emit('connection', stream));
  cleanUps.push(() => web.closeAllConnections());
  return web;
}

test('httpAgent(session): a stream for each request', async () => {
  const { a, b } = pair();
  echoServer(b);
  let streams = 0;
  b.on('stream', () => {
    streams += 1;
  });
  const agent = httpAgent(a);
  const bodies = Array.from({ length: 10 }, (_, index) => randomBytes(index * 50_000));
  const answers = await Promise.all(bodies.map((body) => ask({ agent }, body)));
  expect(answers.map(({ body }, index) => body.equals(bodies[index] as Buffer))).toEqual(Array(10).fill(true));
  expect(streams).toBe(10);
  await settle();
  expect([a.streamCount, b.streamCount]).toEqual([0, 0]);
});

test('httpAgent(session, { keepAlive: true }): one stream for requests in a row', async () => {
  const { a, b } = pair();
  echoServer(b);
  const agent = httpAgent(a, { keepAlive: true });
  cleanUps.push(() => agent.destroy());
  for (let requests = 0; requests < 5; requests += 1) expect((await ask({ agent })).status).toBe(200);
  expect(a.streamCount).toBe(1);
});

test('a session that is closed fails the request', async () => {
  const { a } = pair();
  a.destroy();
  await expect(ask({ agent: httpAgent(a) })).rejects.toMatchObject({ code: 'ERR_YAMUX_SESSION_CLOSED' });
});

test('a response that ends its connection loses none of its tail', async () => {
  const { a, b } = pair();
  const body = randomBytes(3_000_000);
  const web = http.createServer((_request, response) => {
    response.setHeader('connection', 'close');
    response.end(body);
  });
  b.on('stream', (stream) => web.emit('connection', stream));
  expect((await ask({ agent: httpAgent(a) })).body.equals(body)).toBe(true);
});

test('a client that gives up resets its stream, and the server sees it', async () => {
  const { a, b } = pair();
  const aborted = new Promise<void>((resolve) => {
    const web = http.createServer((request) => {
      request.on('close', () => resolve());
      request.on('error', () => {});
    });
    b.on('stream', (stream) => web.emit('connection', stream));
  });
  const request = http.request({ host: 'inside', agent: httpAgent(a) });
  request.on('error', () => {});
  request.flushHeaders();
  await settle();
  request.destroy();
  await aborted;
});

test('TLS runs inside a stream, and its end loses nothing', async () => {
  const { a, b } = pair();
  const payload = randomBytes(1_000_000);
  const accepted = b.accept();
  // A key that both know, so that no certificate has to lie about.
  const psk = randomBytes(32);
  const shared = { ciphers: 'PSK', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  const near = tls.connect({
    ...shared,
    socket: await a.open(),
    pskCallback: () => ({ psk, identity: 'near' }),
    checkServerIdentity: () => undefined,
  });
  const far = new tls.TLSSocket(await accepted, { ...shared, isServer: true, pskCallback: () => psk } as object);
  near.on('error', () => {});
  far.on('error', () => {});
  far.end(payload);
  await once(near, 'secureConnect');
  expect(near.getCipher().name).toContain('PSK');
  expect((await buffer(near)).equals(payload)).toBe(true);
});

test('Duplex.toWeb(stream) reads and writes', async () => {
  const { a, b } = pair();
  b.on('stream', (stream) => void pipeline(stream, stream).catch(() => {}));
  const { readable, writable } = Duplex.toWeb(await a.open());
  const payload = randomBytes(500_000);
  const writer = writable.getWriter();
  void writer.write(payload).then(() => writer.close());
  const chunks: Uint8Array[] = [];
  for await (const chunk of readable) chunks.push(chunk as Uint8Array);
  expect(Buffer.concat(chunks).equals(payload)).toBe(true);
});

test('pipeline through two sessions carries back-pressure and the end', async () => {
  const first = pair();
  const second = pair();
  const payload = randomBytes(2_000_000);
  const source = new PassThrough();
  source.end(payload);
  const hop = first.b.accept().then(async (inbound) => pipeline(inbound.end(), (await second.a.open()).resume()));
  const end = second.b.accept().then((inbound) => buffer(inbound.end()));
  await pipeline(source, (await first.a.open()).resume());
  expect((await end).equals(payload)).toBe(true);
  await hop;
});

test('events of an outbound stream run in the context of its open()', async () => {
  const { a, b } = pair();
  b.on('stream', (stream) => stream.resume().end('answer'));
  const storage = new AsyncLocalStorage<string>();
  const seen: Array<[string, string | undefined]> = [];
  const runs = ['one', 'two'].map((name) =>
    storage.run(name, async () => {
      const stream = await a.open();
      for (const event of ['acknowledged', 'data', 'end', 'close']) {
        stream.on(event, () => seen.push([`${name} ${event}`, storage.getStore()]));
      }
      stream.end();
      await once(stream, 'close');
    }),
  );
  await Promise.all(runs);
  expect(seen).toHaveLength(8);
  for (const [event, store] of seen) expect(event).toMatch(new RegExp(`^${store} `));
});
