// Peers of a tunnel on a real network: they read nothing, send much while the process is busy, or offer compression.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { YamuxSession } from '@zishuo/yamux';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ManualClock } from '../../yamux/test/support/manual-clock.ts';
import { acceptUpgrades, dial } from '../src/index.ts';
import { client, server } from '../src/session.ts';
import { accepting } from './support/accepting.ts';
import { closeServers, httpServer } from './support/http-server.ts';
import { observe } from './support/observe.ts';
import { closePairs, wsPair } from './support/ws-pair.ts';

afterEach(async () => {
  await closePairs();
  await closeServers();
});

const MIB = 1024 * 1024;

describe('an offer of permessage-deflate', () => {
  it('from a client is declined by acceptUpgrades()', async () => {
    const { server: http, url } = await httpServer();
    const accepted = new Promise<YamuxSession>((resolve) => {
      acceptUpgrades(http, { path: '/', authenticate: () => true, onSession: resolve });
    });
    const socket = new WebSocket(url, { perMessageDeflate: true });
    const [[response]] = (await Promise.all([once(socket, 'upgrade'), once(socket, 'open')])) as [
      [IncomingMessage],
      [],
    ];
    expect(response.headers['sec-websocket-extensions']).toBeUndefined();
    expect(socket.extensions).toBe('');
    const ours = await accepted;
    const theirs = client(socket);
    ours.on('stream', (stream) => stream.pipe(stream));
    const stream = await theirs.open();
    stream.end('plain');
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('plain');
    await theirs.close();
  });

  it('is not made by dial(), even if the server would accept it', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true });
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const session = await dial(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [socket, request] = await accepted;
    expect(request.headers['sec-websocket-extensions']).toBeUndefined();
    expect(socket.extensions).toBe('');
    await session.close();
    server.close();
  });
});

describe('a message larger than any frame of the session', () => {
  const yamux = { maxStreamWindow: 262_144 };
  const largest = 262_144 + 65_536;
  const refusedByWs = {
    code: 'ERR_YAMUX_WEBSOCKET_MESSAGE_TOO_LARGE',
    message: expect.stringContaining('above the maxPayload of ws'),
  };
  /** A Data frame for a stream that nobody opened: it is skipped. */
  const unasked = (bytes: number): Buffer => {
    const message = Buffer.alloc(bytes);
    message.writeUInt32BE(9, 4);
    message.writeUInt32BE(bytes - 12, 8);
    return message;
  };

  it('is refused by acceptUpgrades() with 1009, before it is received', async () => {
    const { url, sessions } = await accepting({ yamux });
    const socket = new WebSocket(`${url}/connect`);
    await once(socket, 'open');
    socket.send(unasked(largest));
    socket.send(unasked(largest + 1));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1009);
    expect(sessions[0]?.errored).toMatchObject({ cause: refusedByWs });
    expect(sessions[0]?.stats().bytesReceived).toBe(largest);
  });

  it('is refused by dial() with 1009, before it is received', async () => {
    const listener = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(listener, 'listening');
    const connection = once(listener, 'connection') as Promise<[WebSocket]>;
    const session = await dial(`ws://127.0.0.1:${(listener.address() as AddressInfo).port}`, { yamux });
    session.on('error', () => {});
    const [socket] = await connection;
    socket.send(unasked(largest));
    socket.send(unasked(largest + 1));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1009);
    expect(session.errored).toMatchObject({ cause: refusedByWs });
    expect(session.stats().bytesReceived).toBe(largest);
    listener.close();
  });
});

describe('a busy session', () => {
  it('survives 100 MiB of inbound data in front of the pongs, with keep-alive on', async () => {
    const { client: theirSocket, server: ourSocket } = await wsPair();
    const clock = new ManualClock();
    const ours = server(ourSocket, { clock, keepAliveInterval: 1_000, keepAliveTimeout: 500 });
    const theirs = client(theirSocket, { keepAliveInterval: 0 });
    const sent = createHash('sha256');
    const received = createHash('sha256');
    let bytes = 0;
    const done = new Promise<void>((resolve) => {
      ours.on('stream', (stream) => {
        stream.end();
        stream.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          received.update(chunk);
          clock.advance(400); // so long it takes us to deal with a chunk, and no pong can be read meanwhile
        });
        stream.once('close', resolve);
      });
    });
    const stream = await theirs.open();
    for (let piece = 0; piece < 100; piece += 1) {
      const chunk = Buffer.alloc(MIB, piece + 1);
      sent.update(chunk);
      if (!stream.write(chunk)) await once(stream, 'drain');
    }
    stream.end();
    await done;
    expect(bytes).toBe(100 * MIB);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    expect([ours.state, theirs.state]).toEqual(['open', 'open']);
    await theirs.close();
  });
});

describe('a peer that takes nothing', () => {
  it('never makes us buffer more than the limits, and is terminated after writeTimeout', async () => {
    const { client: raw, server: socket } = await wsPair();
    raw.pause();
    const options = { writeTimeout: 500, highWaterMark: MIB };
    const session = server(socket, {}, options);
    let most = 0;
    const send = socket.send.bind(socket);
    socket.send = (data: Buffer, sent?: unknown) => {
      send(data, sent as () => void);
      most = Math.max(most, socket.bufferedAmount);
    };
    const failed = once(session, 'error');
    let writes = 0;
    const streams = await Promise.all(Array.from({ length: 200 }, () => session.open()));
    for (const stream of streams) {
      observe(stream);
      if (stream.write(Buffer.alloc(262_144))) writes += 1;
    }
    expect((await failed)[0]).toMatchObject({ cause: { code: 'ERR_YAMUX_WEBSOCKET_WRITE_TIMEOUT' } });
    expect(most).toBeGreaterThan(0);
    // The limit, and one batch above it: what a session writes at once, and one frame more.
    expect(most).toBeLessThan(MIB + 128 * 1024 + 64 * 1024);
    expect(writes).toBe(0); // every stream was told to wait
    expect(socket.readyState).toBeGreaterThanOrEqual(2);
  });
});
