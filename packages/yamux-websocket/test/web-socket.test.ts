// The driver for WHATWG WebSockets: undici's client, which is also Node's global one, over real sockets; and a fake where a real one cannot be
// made to fail.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket as UndiciWebSocket } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { WebSocketByteStream } from '../src/byte-stream.ts';
import { client, server as serverSession, webSocketStream } from '../src/index.ts';
import type { WebSocketStreamOptions } from '../src/options.ts';
import { closeServers, httpServer } from './support/http-server.ts';
import { closed, observe, settled } from './support/observe.ts';

const servers: WebSocketServer[] = [];
const streams: WebSocketByteStream[] = [];

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.destroy();
  for (const server of servers.splice(0)) {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  }
  await closeServers();
});

function streamOver(socket: UndiciWebSocket, options?: WebSocketStreamOptions): WebSocketByteStream {
  const stream = webSocketStream(socket, options);
  streams.push(stream);
  return stream;
}

interface Pair {
  readonly ours: UndiciWebSocket;
  readonly peer: WebSocket;
  readonly peerTcp: Socket;
}

/** A socket of undici that is still connecting. */
async function dialing(): Promise<{ readonly ours: UndiciWebSocket; readonly accepted: Promise<Pair> }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  servers.push(server);
  await once(server, 'listening');
  const ours = new UndiciWebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const accepted = once(server, 'connection').then(([peer, request]) => {
    (peer as WebSocket).on('error', () => {});
    return { ours, peer: peer as WebSocket, peerTcp: (request as IncomingMessage).socket };
  });
  return { ours, accepted };
}

async function streamAndPeer(options?: WebSocketStreamOptions): Promise<Pair & { stream: WebSocketByteStream }> {
  const { ours, accepted } = await dialing();
  const stream = streamOver(ours, options);
  const pair = await accepted;
  if (ours.readyState === 0) await new Promise((resolve) => ours.addEventListener('open', resolve));
  return { ...pair, stream };
}

describe('a WHATWG WebSocket', () => {
  it('carries bytes both ways when the stream is made while it is connecting', async () => {
    const { ours, accepted } = await dialing();
    const stream = streamOver(ours);
    stream.write('before it is open');
    const { peer } = await accepted;
    const [data, isBinary] = (await once(peer, 'message')) as [Buffer, boolean];
    expect([data.toString(), isBinary]).toEqual(['before it is open', true]);
    const received = once(stream, 'data');
    peer.send(Buffer.from('back'));
    expect(String((await received)[0])).toBe('back');
    expect(ours.binaryType).toBe('arraybuffer');
  });

  it('carries a Yamux session with much data both ways', async () => {
    const { ours, accepted } = await dialing();
    const session = client(ours);
    const { peer } = await accepted;
    const echoing = serverSession(peer);
    echoing.on('stream', (stream) => stream.pipe(stream));
    const stream = await session.open();
    const sent = Buffer.alloc(5 * 1024 * 1024, 'yamux over undici');
    stream.end(sent);
    expect(Buffer.concat(await stream.toArray()).equals(sent)).toBe(true);
    await session.close();
  });

  it.each([1000, 1001, 1005, 1012])('that is closed with %i ends cleanly', async (code) => {
    const { peer, stream } = await streamAndPeer();
    const observed = observe(stream);
    const reason = code === 1005 ? '' : 'why';
    peer.send(Buffer.from('all of it'));
    if (code === 1005) peer.close();
    else peer.close(code, reason);
    await closed(stream);
    expect([observed.events, observed.bytes().toString()]).toEqual([['end', 'finish', 'close'], 'all of it']);
    expect(await stream.socketClosed).toEqual({ code, reason, wasClean: true, initiator: 'remote' });
  });

  it.each([1002, 1003, 1007, 1008, 1009, 1010, 1011, 1013, 1014, 4401, 4403, 4409])(
    'that is closed with %i errors and never ends',
    async (code) => {
      const { peer, stream } = await streamAndPeer();
      const observed = observe(stream);
      peer.close(code, 'why');
      await closed(stream);
      expect(observed.events).toEqual(['error', 'close']);
      expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_CLOSED', closeCode: code, reason: 'why' });
    },
  );

  it.each<[string, (pair: Pair) => unknown]>([
    ['reset', ({ peerTcp }) => peerTcp.resetAndDestroy()],
    ['ended within a message', ({ peerTcp }) => peerTcp.end(Buffer.from([0x82, 126, 0x10, 0x00, 1, 2, 3]))],
    ['broken by a malformed frame', ({ peerTcp }) => peerTcp.write(Buffer.from([0xf2, 0x00]))],
  ])('whose connection is %s errors as lost', async (_how, breakIt) => {
    const { stream, ...pair } = await streamAndPeer();
    const observed = observe(stream);
    breakIt(pair);
    await closed(stream);
    expect(observed.events).toEqual(['error', 'close']);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_LOST', closeCode: 1006 });
  });

  it('that cannot be opened has its own error', async () => {
    const { server, port } = await httpServer();
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'));
    const stream = streamOver(new UndiciWebSocket(`ws://127.0.0.1:${port}`));
    const observed = observe(stream);
    await closed(stream);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_FAILED', origin: 'remote' });
    expect(await stream.socketClosed).toMatchObject({ code: 1006, wasClean: false });
  });

  it('can be ended by destroy() while it connects', async () => {
    const { server, port } = await httpServer();
    const asked = once(server, 'upgrade'); // and never answered
    const ours = new UndiciWebSocket(`ws://127.0.0.1:${port}`);
    const stream = streamOver(ours);
    const observed = observe(stream);
    await asked;
    stream.destroy();
    expect(await stream.socketClosed).toEqual({ code: 1006, reason: '', wasClean: false, initiator: 'local' });
    await settled();
    expect(observed.events).toEqual(['close']);
    expect(ours.readyState).toBeGreaterThanOrEqual(2);
  });

  it('is closed with 1000 after all written bytes', async () => {
    const { peer, stream } = await streamAndPeer();
    const received: string[] = [];
    peer.on('message', (data: Buffer) => received.push(data.toString()));
    stream.end('the last words');
    const [code] = (await once(peer, 'close')) as [number];
    expect([received.join(''), code]).toEqual(['the last words', 1000]);
    expect(await stream.socketClosed).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' });
  });

  it.each<[string, number, WebSocketStreamOptions, (peer: WebSocket) => void]>([
    ['a text message', 4003, {}, (peer) => peer.send('text')],
    ['a message that is too large', 4009, { maxInboundMessageBytes: 10 }, (peer) => peer.send(Buffer.alloc(11))],
  ])('after %s closes with %i: it may not send the codes of the protocol', async (_what, code, options, violate) => {
    const { peer, stream } = await streamAndPeer(options);
    const observed = observe(stream);
    violate(peer);
    const [seen] = (await once(peer, 'close')) as [number];
    await closed(stream);
    expect(seen).toBe(code);
    expect(observed.error).toMatchObject({ closeCode: code - 3000 });
  });

  it('with a silent peer closes at once on destroy()', async () => {
    const { peer, stream, ours } = await streamAndPeer();
    peer.pause();
    const observed = observe(stream);
    stream.destroy();
    await settled();
    expect(await stream.socketClosed).toEqual({ code: 1006, reason: '', wasClean: false, initiator: 'local' });
    expect(observed.events).toEqual(['close']);
    expect(ours.readyState).toBe(2);
  });

  it('completes a write only when bufferedAmount has fallen', async () => {
    const { peer, peerTcp, stream } = await streamAndPeer({ highWaterMark: 64 * 1024 });
    peerTcp.pause();
    let written = false;
    const payload = Buffer.alloc(15 * 1024 * 1024);
    stream.write(payload, () => {
      written = true;
    });
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(false);
    let bytes = 0;
    const arrived = new Promise<void>((resolve) => {
      peer.on('message', (data: Buffer) => {
        bytes += data.length;
        if (bytes === payload.length) resolve();
      });
    });
    peerTcp.resume();
    await arrived;
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
    expect(written).toBe(true);
  });

  it('that nobody reads, and that cannot be paused, errors before it fills memory', async () => {
    const { peer, stream } = await streamAndPeer({ readPauseBytes: 10_000, maxBufferedBytes: 100_000 });
    const observed = observe(stream, false);
    for (let message = 0; message < 11; message += 1) peer.send(Buffer.alloc(10_000));
    await closed(stream);
    expect(observed.error?.message).toBe('More than 100000 bytes are unread (maxBufferedBytes)');
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_BUFFER_FULL', origin: 'local' });
  });

  it('has none of our listeners after its end', async () => {
    const listeners = new Set<unknown>();
    class Fake extends EventTarget {
      readyState = 1;
      bufferedAmount = 0;
      binaryType = 'blob';
      override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
        listeners.add(args[1]);
        super.addEventListener(...args);
      }
      override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
        listeners.delete(args[1]);
        super.removeEventListener(...args);
      }
      send(): void {}
      close(): void {}
    }
    const fake = new Fake();
    const stream = webSocketStream(fake);
    const observed = observe(stream);
    expect(listeners.size).toBe(4);
    fake.dispatchEvent(Object.assign(new Event('message'), { data: new Blob(['late']) }));
    await settled();
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_FAILED', origin: 'local' });
    expect(observed.error?.message).toContain("set binaryType to 'arraybuffer'");
    fake.dispatchEvent(Object.assign(new Event('close'), { code: 1005, reason: '' }));
    expect(await stream.socketClosed).toMatchObject({ code: 1005 });
    expect(listeners.size).toBe(0);
  });
});
