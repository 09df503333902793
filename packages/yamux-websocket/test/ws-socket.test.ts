// The driver and the byte stream over real sockets of `ws`.
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { WebSocketByteStream } from '../src/byte-stream.ts';
import type { WebSocketStreamOptions } from '../src/options.ts';
import { type AnyWebSocket, webSocketStream } from '../src/stream.ts';
import { closed, observe, settled } from './support/observe.ts';
import { closePairs, wsPair } from './support/ws-pair.ts';

const streams: WebSocketByteStream[] = [];

function streamOver(socket: AnyWebSocket, options?: WebSocketStreamOptions): WebSocketByteStream {
  const stream = webSocketStream(socket, options);
  streams.push(stream);
  return stream;
}

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.destroy();
  await closePairs();
});

/** Closes the socket, and lets `ws` finish the closing handshake. */
async function closedBy(close: (socket: WebSocket) => void) {
  const { client, server } = await wsPair();
  const stream = streamOver(client);
  const observed = observe(stream);
  server.send(Buffer.from('all of it'));
  close(server);
  await closed(stream);
  return { observed, closing: await stream.socketClosed };
}

describe('a ws socket that the peer closes', () => {
  it.each([
    [1000, 'bye'],
    [1001, 'draining'],
    [1012, 'restart'],
  ])('with %i delivers everything, ends, and reports the code', async (code, reason) => {
    const { observed, closing } = await closedBy((socket) => socket.close(code, reason));
    expect(observed.bytes().toString()).toBe('all of it');
    expect(observed.events).toEqual(['end', 'finish', 'close']);
    expect(closing).toEqual({ code, reason, wasClean: true, initiator: 'remote' });
  });

  it('without a code ends cleanly as 1005', async () => {
    const { observed, closing } = await closedBy((socket) => socket.close());
    expect(observed.events).toEqual(['end', 'finish', 'close']);
    expect(closing).toEqual({ code: 1005, reason: '', wasClean: true, initiator: 'remote' });
  });

  it.each([1002, 1003, 1007, 1008, 1009, 1010, 1011, 1013, 1014, 4401, 4403, 4409])(
    'with %i errors and never ends',
    async (code) => {
      const { observed, closing } = await closedBy((socket) => socket.close(code, 'why'));
      expect(observed.events).toEqual(['error', 'close']);
      expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_CLOSED', closeCode: code, reason: 'why' });
      expect(closing).toEqual({ code, reason: 'why', wasClean: true, initiator: 'remote' });
    },
  );

  it('by being killed errors and never ends', async () => {
    const { observed, closing } = await closedBy((socket) => socket.terminate());
    expect(observed.events).toEqual(['error', 'close']);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_LOST', closeCode: 1006 });
    expect(closing).toMatchObject({ code: 1006, wasClean: false, initiator: 'remote' });
  });
});

describe('a ws socket whose TCP connection breaks in the middle of a message', () => {
  it.each(['reset', 'ended'] as const)('by being %s errors and never ends', async (how) => {
    const { client, serverTcp } = await wsPair();
    const stream = streamOver(client);
    const observed = observe(stream);
    serverTcp.write(Buffer.from([0x82, 126, 0x10, 0x00, 1, 2, 3])); // 4096 bytes announced, 3 sent
    if (how === 'ended') serverTcp.end();
    else setImmediate(() => serverTcp.resetAndDestroy());
    await closed(stream);
    expect(observed.events).toEqual(['error', 'close']);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_LOST' });
    expect(observed.bytes().length).toBe(0);
  });
});

describe('a violation of the peer', () => {
  it('that is a text message closes with 1003', async () => {
    const { client, server } = await wsPair();
    const observed = observe(streamOver(server));
    client.send('hello');
    const [code] = (await once(client, 'close')) as [number];
    expect(code).toBe(1003);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_TEXT_MESSAGE' });
  });

  it('that is a message above maxInboundMessageBytes closes with 1009', async () => {
    const { client, server } = await wsPair();
    const observed = observe(streamOver(server, { maxInboundMessageBytes: 1000 }));
    client.send(Buffer.alloc(1001));
    const [code] = (await once(client, 'close')) as [number];
    expect(code).toBe(1009);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_MESSAGE_TOO_LARGE', closeCode: 1009 });
  });

  it('that is a message above the maxPayload of ws is the same error, and the peer sees 1009', async () => {
    const { client, server } = await wsPair({ maxPayload: 1000 });
    const observed = observe(streamOver(client));
    server.send(Buffer.alloc(1001));
    const [code] = (await once(server, 'close')) as [number];
    expect(code).toBe(1009);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_MESSAGE_TOO_LARGE', closeCode: 1009 });
  });

  it('that is a malformed frame is an error of remote origin, with the error of ws as its cause', async () => {
    const { client, serverTcp } = await wsPair();
    const stream = streamOver(client);
    const observed = observe(stream);
    serverTcp.write(Buffer.from([0xf2, 0x00]));
    await closed(stream);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_FAILED', origin: 'remote' });
    expect(observed.error?.cause).toMatchObject({ code: expect.stringMatching(/^WS_ERR_/) });
  });
});

describe('bytes over ws', () => {
  it.each(['nodebuffer', 'arraybuffer', 'fragments', 'blob'])('arrive with binaryType %s', async (binaryType) => {
    const { client, server } = await wsPair();
    client.binaryType = binaryType as 'nodebuffer';
    const stream = streamOver(client);
    server.send(Buffer.from('ab'), { fin: false });
    server.send(Buffer.from('cd'), { fin: false });
    server.send(Buffer.from('ef'));
    server.close(1000);
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('abcdef');
  });

  it('arrive whole and in order through small writes and large ones, in both directions at once', async () => {
    const { client, server } = await wsPair();
    const sent = Buffer.alloc(3 * 1024 * 1024);
    for (let i = 0; i < sent.length; i++) sent[i] = (i * 7 + (i >> 11)) & 0xff;
    const send = (stream: WebSocketByteStream): Promise<Buffer> => {
      const received: Buffer[] = [];
      let length = 0;
      const arrived = new Promise<Buffer>((resolve) => {
        stream.on('data', (chunk: Buffer) => {
          received.push(chunk);
          length += chunk.length;
          if (length === sent.length) resolve(Buffer.concat(received));
        });
      });
      for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 5 + 3) % 100_003) {
        stream.write(sent.subarray(at, at + size));
      }
      return arrived;
    };
    const [up, down] = await Promise.all([send(streamOver(server)), send(streamOver(client))]);
    expect([up.equals(sent), down.equals(sent)]).toEqual([true, true]);
  });

  it('of one tick travel in one message, always binary', async () => {
    const { client, server } = await wsPair();
    const stream = streamOver(client);
    for (const byte of 'frames') stream.write(byte);
    const [data, isBinary] = (await once(server, 'message')) as [Buffer, boolean];
    expect([data.toString(), isBinary]).toEqual(['frames', true]);
  });

  it('arrive even if the socket was paused before the stream was made', async () => {
    const { client, server } = await wsPair();
    client.pause();
    await new Promise((resolve) => server.send(Buffer.from('early'), resolve));
    await settled();
    const stream = streamOver(client);
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('early');
  });

  it('are sent by a stream that was created, written and ended while the socket was connecting', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const stream = streamOver(new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`));
    stream.end('early');
    const [socket] = (await once(server, 'connection')) as [WebSocket];
    const received = await streamOver(socket).toArray();
    expect(Buffer.concat(received).toString()).toBe('early');
    expect(await stream.socketClosed).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' });
    server.close();
  });
});

describe('a failed connection', () => {
  it('is an error of the stream, with the cause', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const stream = streamOver(new WebSocket(`ws://127.0.0.1:${port}`));
    const observed = observe(stream);
    await stream.socketClosed;
    expect(observed.events).toEqual(['error', 'close']);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_FAILED', origin: 'local' });
    expect(observed.error?.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('can be ended by destroy() while it connects', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const stream = streamOver(new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`));
    const observed = observe(stream);
    stream.destroy();
    expect(await stream.socketClosed).toMatchObject({ code: 1006, initiator: 'local' });
    expect(observed.events).toEqual(['close']);
    server.close();
  });
});

describe('a write in progress', () => {
  /** Writes more than the kernel buffers, to a peer that reads nothing. */
  async function writing(options?: WebSocketStreamOptions) {
    const { client, server, serverTcp } = await wsPair();
    serverTcp.pause();
    const stream = streamOver(client, { writeTimeout: 0, maxBufferedBytes: Number.POSITIVE_INFINITY, ...options });
    const told: unknown[] = [];
    stream.write(Buffer.alloc(32 * 1024 * 1024), (error) => told.push(error));
    return { client, server, serverTcp, stream, told, observed: observe(stream) };
  }

  it.each<[string, (scene: Awaited<ReturnType<typeof writing>>) => void]>([
    ['the peer is killed', ({ serverTcp }) => serverTcp.resetAndDestroy()],
    ['somebody terminates the socket below us', ({ client }) => client.terminate()],
    ['the stream is destroyed', ({ stream }) => stream.destroy(new Error('enough'))],
  ])('fails once when %s, with the error of the stream', async (_what, end) => {
    const scene = await writing();
    await settled();
    end(scene);
    await closed(scene.stream);
    await scene.stream.socketClosed;
    await settled();
    expect(scene.observed.events).toEqual(['error', 'close']);
    expect(scene.told).toEqual([scene.observed.error]);
  });

  it('does not delay the end without limit: a peer that never answers the close is terminated after closeTimeout', async () => {
    const { client, serverTcp } = await wsPair();
    serverTcp.pause();
    const stream = streamOver(client, { closeTimeout: 10 });
    const observed = observe(stream);
    stream.end('unheard');
    await closed(stream);
    expect(observed.events).toEqual(['finish', 'error', 'close']);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_LOST' });
    expect(await stream.socketClosed).toEqual({ code: 1006, reason: '', wasClean: false, initiator: 'local' });
    expect(client.readyState).toBe(WebSocket.CLOSED);
  });

  it('of more than maxBufferedBytes terminates the connection', async () => {
    const { stream, observed, told } = await writing({ maxBufferedBytes: 16 * 1024 * 1024 });
    expect(await stream.socketClosed).toMatchObject({ code: 1006, initiator: 'local' });
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_BUFFER_FULL', origin: 'local' });
    expect(told).toEqual([observed.error]);
  });
});

describe('the socket', () => {
  it('has none of our listeners after its end', async () => {
    const { client, server } = await wsPair();
    const before = client.eventNames();
    const stream = streamOver(client);
    observe(stream);
    server.close(1000);
    await once(stream, 'close');
    expect(client.eventNames()).toEqual(before);
  });

  it('answers pings and sees the close of its peer while the stream, which never pauses, is not read', async () => {
    const { client, server } = await wsPair();
    const stream = streamOver(client, { readPauseBytes: Number.POSITIVE_INFINITY });
    for (let i = 0; i < 32; i++) server.send(Buffer.alloc(65_536));
    server.ping();
    await once(server, 'pong');
    server.close(1001);
    expect(await stream.socketClosed).toMatchObject({ code: 1001 });
    expect(stream.readableLength).toBe(32 * 65_536);
    stream.destroy();
  });

  it('is paused by a byte stream that nobody reads, and resumed when somebody does', async () => {
    const { client, server } = await wsPair();
    const stream = streamOver(client, { readPauseBytes: 100_000 });
    const total = 64 * 65_536;
    for (let i = 0; i < 64; i++) server.send(Buffer.alloc(65_536));
    await once(stream, 'readable');
    while (!client.isPaused) await new Promise((resolve) => setImmediate(resolve));
    expect(stream.readableLength).toBeLessThan(total);
    server.close(1000);
    expect(Buffer.concat(await stream.toArray()).length).toBe(total);
  });
});
