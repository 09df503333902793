// The real thing: sessions over TCP on the loopback interface, whole payloads, real HTTP.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { afterEach, expect, test } from 'vitest';
import { client, server, type YamuxSession, type YamuxStream } from '../src/index.ts';
import { closed } from './support/pairs.ts';

const MIB = 1024 * 1024;
const cleanUps: Array<() => unknown> = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function overTcp(): Promise<{ near: YamuxSession; far: YamuxSession; nearSocket: Socket; farSocket: Socket }> {
  const listener: Server = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const nearSocket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [farSocket] = (await once(listener, 'connection')) as [Socket];
  const near = client(nearSocket);
  const far = server(farSocket);
  cleanUps.push(() => listener.close());
  cleanUps.push(() => {
    near.destroy();
    far.destroy();
  });
  return { near, far, nearSocket, farSocket };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function receiveAll(stream: YamuxStream): Promise<{ bytes: number; hash: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  await once(stream, 'end');
  return { bytes, hash: hash.digest('hex') };
}

test('16 MiB written in one go arrive whole, in both directions at once', async () => {
  const { near, far } = await overTcp();
  const there = randomBytes(16 * MIB);
  const back = randomBytes(16 * MIB);
  const outbound = await near.open();
  outbound.end(there);
  const inbound = await far.accept();
  inbound.end(back);
  const [atFar, atNear] = await Promise.all([receiveAll(inbound), receiveAll(outbound)]);
  expect(atFar).toEqual({ bytes: there.length, hash: sha256(there) });
  expect(atNear).toEqual({ bytes: back.length, hash: sha256(back) });
});

test('a hundred streams echo at once, through pipeline', async () => {
  const { near, far } = await overTcp();
  far.on('stream', (stream) => void pipeline(stream, stream));
  const echoes = Array.from({ length: 100 }, async (_, index) => {
    const payload = randomBytes(1 + index * 3331);
    const stream = await near.open();
    stream.end(payload);
    expect((await receiveAll(stream)).hash).toBe(sha256(payload));
  });
  await Promise.all(echoes);
  const ended = closed(far);
  await near.close();
  await ended;
  expect([near.streamCount, far.streamCount]).toEqual([0, 0]);
});

test('a killed connection errors every stream on both sides', async () => {
  const { near, far, farSocket } = await overTcp();
  const errors: unknown[] = [];
  near.on('error', (error) => errors.push(error));
  far.on('error', (error) => errors.push(error));
  const outbound = await near.open();
  outbound.write('half a message');
  const inbound = await far.accept();
  for (const stream of [outbound, inbound]) {
    stream.on('end', () => expect.unreachable());
    stream.on('error', (error) => errors.push(error)).resume();
  }
  const ended = Promise.all([closed(near), closed(far)]);
  farSocket.resetAndDestroy();
  await ended;
  expect(errors).toHaveLength(4);
  for (const error of errors) expect(error).toMatchObject({ scope: 'session' });
});

test('node:http serves and asks over streams: keep-alive, bodies both ways, a response that closes its stream', async () => {
  const { near, far } = await overTcp();
  const web = http.createServer((request, response) => {
    if (request.url === '/close') response.setHeader('connection', 'close');
    void pipeline(request, response);
  });
  far.on('stream', (stream) => web.emit('connection', stream));
  const opened: YamuxStream[] = [];
  const agent = new http.Agent({ keepAlive: true });
  (agent as unknown as { createConnection: unknown }).createConnection = (
    _options: unknown,
    done: (error: unknown, stream?: YamuxStream) => void,
  ): void => {
    near.open().then((stream) => {
      opened.push(stream);
      done(null, stream);
    }, done);
  };
  const ask = (path: string, body: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const request = http.request({ agent, path, method: 'POST', host: 'inside' }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks)));
      });
      request.on('error', reject);
      request.setTimeout(60_000);
      request.end(body);
    });
  const bodies = Array.from({ length: 20 }, (_, index) => randomBytes(index * 20_000));
  const echoed = await Promise.all(bodies.map((body) => ask('/', body)));
  expect(echoed.map(sha256)).toEqual(bodies.map(sha256));
  const before = opened.length;
  for (const body of bodies) expect(sha256(await ask('/', body))).toBe(sha256(body));
  expect(opened.length).toBe(before);
  const last = randomBytes(MIB);
  expect(sha256(await ask('/close', last))).toBe(sha256(last));
  agent.destroy();
  web.close();
});

test('a stream has the addresses of its transport', async () => {
  const { far, farSocket } = await overTcp();
  const stream = await far.open();
  stream.on('error', () => {});
  expect(stream.remoteAddress).toBe('127.0.0.1');
  expect(stream.remotePort).toBe(farSocket.remotePort);
  expect(stream.localPort).toBe(farSocket.localPort);
});
