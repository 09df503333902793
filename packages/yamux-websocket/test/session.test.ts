import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { type SessionOptions, type YamuxSession, type YamuxStream, client as yamuxClient } from '@zishuo/yamux';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ManualClock } from '../../yamux/test/support/manual-clock.ts';
import { client, server, socketClosed } from '../src/session.ts';
import { webSocketStream } from '../src/stream.ts';
import { FakeSocket } from './support/fake-socket.ts';
import { closed, observe } from './support/observe.ts';
import { closePairs, wsPair } from './support/ws-pair.ts';

afterEach(closePairs);

interface SessionPair {
  readonly agent: YamuxSession;
  readonly gateway: YamuxSession;
  readonly agentSocket: WebSocket;
  readonly gatewaySocket: WebSocket;
}

/** As in a tunnel, the end that dialed is the Yamux client. */
async function sessionPair(): Promise<SessionPair> {
  const { client: agentSocket, server: gatewaySocket } = await wsPair();
  const agent = client(agentSocket);
  const gateway = server(gatewaySocket);
  return { agent, gateway, agentSocket, gatewaySocket };
}

function errorOf(session: YamuxSession): Promise<Error> {
  return new Promise((resolve) => session.once('error', resolve));
}

/** Resolves when a session has ended, with or without an error. */
async function over(session: YamuxSession): Promise<string[]> {
  const events: string[] = [];
  session.on('error', () => events.push('error'));
  await new Promise<void>((resolve) => session.once('close', resolve));
  return [...events, 'close'];
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const HEADER_SIZE = 12;
const garbage = Buffer.from('GET / HTTP/1.1\r\n');

describe('a session over a WebSocket', () => {
  it('carries 16 MiB both ways at once, unchanged', async () => {
    const { agent, gateway } = await sessionPair();
    gateway.on('stream', (stream) => stream.pipe(stream));
    const sent = Buffer.alloc(16 * 1024 * 1024);
    for (let i = 0; i < sent.length; i += 4) sent.writeUInt32LE(Math.imul(i, 2_654_435_761) >>> 0, i);
    const stream = await agent.open();
    const received = stream.toArray();
    for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 5 + 3) % 200_003) {
      if (!stream.write(sent.subarray(at, at + size))) await once(stream, 'drain');
    }
    stream.end();
    expect(sha256(Buffer.concat(await received))).toBe(sha256(sent));
    await agent.close();
  });

  it('ends each message between frames, or between a header and its payload', async () => {
    const { client: raw, server: gatewaySocket } = await wsPair();
    const gateway = server(gatewaySocket);
    const messages: Buffer[] = [];
    raw.on('message', (data: Buffer) => messages.push(data));
    const streams = await Promise.all(Array.from({ length: 20 }, () => gateway.open()));
    for (const [index, stream] of streams.entries()) {
      observe(stream);
      stream.end(Buffer.alloc(index * 7_000 + 1));
    }
    await Promise.all(streams.map((stream) => once(stream, 'finish')));
    gateway.on('error', () => {});
    gateway.destroy();
    await once(raw, 'close');

    const allowed = new Set<number>([0]);
    const bytes = Buffer.concat(messages);
    for (let at = 0; at < bytes.length; ) {
      const isData = bytes[at + 1] === 0;
      allowed.add(at + HEADER_SIZE);
      at += HEADER_SIZE + (isData ? bytes.readUInt32BE(at + 8) : 0);
      allowed.add(at);
    }
    let at = 0;
    for (const message of messages) {
      expect(message.length).toBeLessThanOrEqual(65_536);
      at += message.length;
      expect(allowed.has(at)).toBe(true);
    }
    expect(messages.length).toBeGreaterThan(20);
  });

  it('answers pings and sees the close of its peer while a stream is not read', async () => {
    const { agent, gateway, gatewaySocket } = await sessionPair();
    const arrived = once(agent, 'stream') as Promise<[YamuxStream]>;
    const opened = await gateway.open();
    observe(opened);
    opened.write(Buffer.alloc(300_000));
    const [stream] = await arrived;
    await once(stream, 'readable');
    gatewaySocket.ping();
    await once(gatewaySocket, 'pong');
    const observed = observe(stream, false);
    const error = errorOf(agent);
    gateway.on('error', () => {});
    gatewaySocket.close(1000);
    expect(await error).toMatchObject({ code: 'ERR_YAMUX_TRANSPORT_ENDED' });
    expect(observed.events).toEqual(['error', 'close']);
  });

  it('never pauses its socket, however many bytes are unread', () => {
    const socket = new FakeSocket();
    const session = server(socket);
    for (let i = 0; i < 100; i++) socket.receive(Buffer.alloc(65_536));
    expect(socket.paused).toBe(false);
    session.destroy();
  });

  it('adds no error listener to itself: an error without a listener stays uncaught', async () => {
    const { agent, gateway } = await sessionPair();
    expect([agent.listenerCount('error'), gateway.listenerCount('error')]).toEqual([0, 0]);
    await agent.close();
  });

  it('is the only one over its WebSocket, and survives an attempt to make a second one', async () => {
    const { agent, agentSocket, gateway } = await sessionPair();
    const inUse = expect.objectContaining({ code: 'ERR_YAMUX_WEBSOCKET_IN_USE' });
    expect(() => server(agentSocket)).toThrow(inUse);
    expect(() => webSocketStream(agentSocket)).toThrow(inUse);
    expect(await agent.ping()).toBeGreaterThan(0);
    const ended = over(gateway);
    await agent.close();
    expect(await ended).toEqual(['close']);
  });

  it('reports how its WebSocket was closed; a session over another transport has no such report', async () => {
    const { agent, gateway } = await sessionPair();
    await Promise.all([agent.close(), over(gateway)]);
    const how = { code: 1000, reason: '', wasClean: true };
    expect(await socketClosed(agent)).toEqual({ ...how, initiator: 'local' });
    expect(await socketClosed(gateway)).toEqual({ ...how, initiator: 'remote' });
    const other = yamuxClient(new PassThrough());
    expect(() => socketClosed(other)).toThrow(
      new TypeError(
        'Expected a session that client(), server(), dial() or acceptUpgrades() of this package made, got an object of YamuxSession',
      ),
    );
    other.destroy();
  });

  it('is not made with an invalid option, and the socket stays unchanged', async () => {
    const { client: socket, server: peer } = await wsPair();
    expect(() => client(socket, { maxFramePayload: 1 } satisfies SessionOptions)).toThrow(RangeError);
    const closed = once(peer, 'close') as Promise<[number]>;
    await client(socket).close();
    expect((await closed)[0]).toBe(1000);
  });
});

describe('the end of a session that this end starts', () => {
  it('by close() sends GoAway and then 1000; both ends close without an error', async () => {
    const { agent, gateway, gatewaySocket } = await sessionPair();
    const messages: Buffer[] = [];
    gatewaySocket.on('message', (data: Buffer) => messages.push(data));
    const [, events, [code, reason]] = await Promise.all([agent.close(), over(gateway), once(gatewaySocket, 'close')]);
    expect(events).toEqual(['close']);
    expect([code, String(reason)]).toEqual([1000, '']);
    const lastFrame = Buffer.concat(messages).subarray(-HEADER_SIZE);
    expect(lastFrame).toEqual(Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
  });

  it('by close() before its WebSocket is open sends the same when it opens', async () => {
    const listener = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(listener, 'listening');
    const agent = client(new WebSocket(`ws://127.0.0.1:${(listener.address() as AddressInfo).port}`));
    const closing = agent.close();
    const [peer] = (await once(listener, 'connection')) as [WebSocket];
    const messages: Buffer[] = [];
    peer.on('message', (data: Buffer) => messages.push(data));
    const [code] = (await once(peer, 'close')) as [number];
    await closing;
    expect([code, agent.errored]).toEqual([1000, null]);
    expect(Buffer.concat(messages).subarray(-HEADER_SIZE)).toEqual(Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    listener.close();
  });

  it('by a violation of the peer sends GoAway(1) and then 1002 with the message of the error', async () => {
    const { client: raw, server: socket } = await wsPair();
    const messages: Buffer[] = [];
    raw.on('message', (data: Buffer) => messages.push(data));
    const gateway = server(socket);
    const error = errorOf(gateway);
    raw.send(garbage);
    const [code, reason] = (await once(raw, 'close')) as [number, Buffer];
    expect(await error).toMatchObject({ code: 'ERR_YAMUX_PROTOCOL', message: reason.toString() });
    expect(code).toBe(1002);
    const lastFrame = Buffer.concat(messages).subarray(-HEADER_SIZE);
    expect(lastFrame).toEqual(Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
  });

  it.each([[undefined], [new Error('enough')]])('by destroy(%s) terminates', async (cause) => {
    const { agent, gatewaySocket, gateway } = await sessionPair();
    const peer = over(gateway);
    const ours = over(agent);
    agent.destroy(cause);
    const [code] = (await once(gatewaySocket, 'close')) as [number];
    expect(code).toBe(1006);
    expect(await ours).toEqual(cause ? ['error', 'close'] : ['close']);
    expect(await peer).toEqual(['error', 'close']);
  });

  it('by writeTimeout terminates, and does not wait for a peer that reads nothing', async () => {
    const { client: raw, server: socket } = await wsPair();
    raw.pause();
    const gateway = server(socket, {}, { writeTimeout: 200 });
    const error = errorOf(gateway);
    const streams = await Promise.all(Array.from({ length: 128 }, () => gateway.open()));
    for (const stream of streams) {
      observe(stream);
      stream.write(Buffer.alloc(262_144)); // a whole window each: 32 MiB, more than the kernel takes
    }
    expect(await error).toMatchObject({
      code: 'ERR_YAMUX_TRANSPORT_FAILED',
      cause: { code: 'ERR_YAMUX_WEBSOCKET_WRITE_TIMEOUT' },
    });
    expect(socket.readyState).toBeGreaterThanOrEqual(2);
  });
});

describe('the end of a session that the peer starts', () => {
  it.each([1, 2, 7])('by GoAway(%i) is an error that has the code, and terminates', async (code) => {
    const { client: raw, server: socket } = await wsPair();
    const gateway = server(socket);
    const stream = await gateway.open();
    const observed = observe(stream);
    const error = errorOf(gateway);
    raw.send(Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, code]));
    const [closeCode] = (await once(raw, 'close')) as [number];
    expect(await error).toMatchObject({ code: 'ERR_YAMUX_GO_AWAY', origin: 'remote', goAwayCode: code });
    expect([observed.events, observed.error, closeCode]).toEqual([['error', 'close'], await error, 1006]);
  });

  it.each([1000, 1001, 1005, 1012])('with %i and no live stream is a clean end', async (code) => {
    const { agent, gatewaySocket, gateway } = await sessionPair();
    const ended = Promise.all([over(agent), over(gateway)]);
    if (code === 1005) gatewaySocket.close();
    else gatewaySocket.close(code);
    expect((await ended)[0]).toEqual(['close']);
    expect(agent.errored).toBeNull();
  });

  it.each([1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 4401, 4403, 4409])(
    'with %i is an error of every live stream, never an end, and socketClosed() has the code',
    async (code) => {
      const { agent, gatewaySocket, gateway } = await sessionPair();
      const error = errorOf(agent);
      gateway.on('error', () => {});
      gateway.on('stream', (stream) => {
        observe(stream);
        stream.write('part of the answer');
      });
      const streams = await Promise.all([agent.open(), agent.open()]);
      const observed = streams.map((stream) => observe(stream));
      await Promise.all(streams.map((stream) => once(stream, 'data')));
      const reason = code === 1005 || code === 1006 ? '' : 'why';
      if (code === 1006) gatewaySocket.terminate();
      else if (code === 1005) gatewaySocket.close();
      else gatewaySocket.close(code, reason);
      await Promise.all(streams.map(closed));
      for (const one of observed) {
        expect(one.events).toEqual(['error', 'close']);
        expect(one.error).toBe(await error);
        expect(one.error).toMatchObject({ scope: 'session', origin: 'remote' });
      }
      expect(await socketClosed(agent)).toEqual({ code, reason, wasClean: code !== 1006, initiator: 'remote' });
      if ([1000, 1001, 1005, 1012].includes(code))
        expect(await error).toMatchObject({ code: 'ERR_YAMUX_TRANSPORT_ENDED' });
      else expect(await error).toMatchObject({ cause: { closeCode: code } });
    },
  );

  it('by silence is detected by keep-alive: the streams error, and the WebSocket is terminated', async () => {
    const { client: peer, server: socket, serverTcp } = await wsPair();
    const clock = new ManualClock();
    const gateway = server(socket, { clock, keepAliveInterval: 1000, keepAliveTimeout: 500 });
    const agent = client(peer, { keepAliveInterval: 0 });
    agent.on('error', () => {});
    const stream = await gateway.open();
    const observed = observe(stream);
    const error = errorOf(gateway);
    await gateway.ping(); // the first pong is here, and nothing else on its way
    serverTcp.pause(); // no byte of the peer comes through any more, as if its cable were cut
    const terminated = once(peer, 'close') as Promise<[number]>;
    clock.advance(1000);
    // The wait for the peer starts when the ping is sent.
    do await turn();
    while (gateway.stats().queuedBytes > 0);
    await turn();
    clock.advance(499);
    expect(gateway.state).toBe('open');
    clock.advance(1);
    expect(await error).toMatchObject({ code: 'ERR_YAMUX_KEEP_ALIVE_TIMEOUT', origin: 'remote' });
    expect([observed.events, observed.error]).toEqual([['error', 'close'], await error]);
    expect((await terminated)[0]).toBe(1006);
    expect(await socketClosed(gateway)).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
  });

  it('in the middle of a frame is an error, even if the WebSocket closed with 1000 and no stream was live', async () => {
    const { client: raw, server: socket } = await wsPair();
    const gateway = server(socket);
    const error = errorOf(gateway);
    raw.send(Buffer.from([0, 2, 0, 1, 0])); // five bytes of a ping
    raw.close(1000);
    expect(await error).toMatchObject({ code: 'ERR_YAMUX_TRANSPORT_ENDED' });
  });

  it('in the middle of a message makes its streams error, with the lost connection as the cause', async () => {
    const { client: agentSocket, server: gatewaySocket, serverTcp } = await wsPair();
    const agent = client(agentSocket);
    const gateway = server(gatewaySocket);
    gateway.on('error', () => {});
    const error = errorOf(agent);
    const stream = await agent.open();
    const observed = observe(stream);
    serverTcp.write(Buffer.from([0x82, 126, 0x10, 0x00, 0, 0]));
    setImmediate(() => serverTcp.resetAndDestroy());
    await closed(stream);
    expect(observed.events).toEqual(['error', 'close']);
    expect(await error).toMatchObject({
      code: 'ERR_YAMUX_TRANSPORT_FAILED',
      cause: { code: 'ERR_YAMUX_WEBSOCKET_LOST', closeCode: 1006 },
    });
  });
});
