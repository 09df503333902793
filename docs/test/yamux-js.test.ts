// Checks the statements about yamux-js in "Move from yamux-js" on yamux-js 0.2.0.

import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { Client, Server } from 'yamux-js';
import { readPage } from '../src/pages.ts';

const WINDOW = 262_144;
const DATA = 0;
const WINDOW_UPDATE = 1;
const SYN = 1;
const FIN = 4;
const RST = 8;
const config = { enableKeepAlive: false, logger: () => {} };

function frame(type: number, flags: number, id: number, length: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(type, 1);
  header.writeUInt16BE(flags, 2);
  header.writeUInt32BE(id, 4);
  header.writeUInt32BE(length, 8);
  return Buffer.concat([header, payload]);
}
const data = (id: number, payload: Buffer): Buffer => frame(DATA, 0, id, payload.length, payload);

type Stream = ReturnType<Client['open']>;

/** A server that has accepted stream 1, and all bytes that it sends. */
async function serverWithStream(): Promise<{ server: Server; stream: Stream; sent: Buffer[] }> {
  const accepted: Stream[] = [];
  const server = new Server((stream) => accepted.push(stream as Stream), config as never);
  const sent: Buffer[] = [];
  server.on('data', (chunk: Buffer) => sent.push(chunk));
  server.write(frame(WINDOW_UPDATE, SYN, 1, 0));
  await turn();
  return { server, stream: accepted[0] as Stream, sent };
}

/** Records the events of a stream from now on. */
function eventsOf(stream: Stream): string[] {
  const heard: string[] = [];
  for (const event of ['data', 'end', 'error', 'close']) stream.on(event, () => heard.push(event));
  return heard;
}

afterEach(() => {
  vi.useRealTimers();
});

const claims: Readonly<Record<string, () => Promise<void>>> = {
  'loses data, without an error, when a frame is split across two chunks': async () => {
    const { server, stream } = await serverWithStream();
    const heard = eventsOf(stream);
    server.on('error', () => heard.push('session error'));
    const bytes = data(1, Buffer.from('hello'));
    server.write(bytes.subarray(0, 14));
    server.write(bytes.subarray(14));
    await turn();
    expect(heard).toEqual([]);
  },
  "never emits 'end' when the peer ends the stream": async () => {
    const { server, stream } = await serverWithStream();
    const heard = eventsOf(stream);
    server.write(data(1, Buffer.from('all of it')));
    server.write(frame(WINDOW_UPDATE, FIN, 1, 0));
    await turn();
    expect(heard).toEqual(['data']);
  },
  'reports nothing when the peer resets the stream': async () => {
    const { server, stream } = await serverWithStream();
    const heard = eventsOf(stream);
    server.write(frame(WINDOW_UPDATE, RST, 1, 0));
    await turn();
    expect(heard).toEqual([]);
  },
  'sends nothing at end() or destroy()': async () => {
    const { stream, sent } = await serverWithStream();
    sent.length = 0;
    stream.end();
    await turn();
    stream.destroy();
    await turn();
    expect(sent).toEqual([]);
  },
  'keeps a stream forever unless close() was called twice': async () => {
    const { server, stream } = await serverWithStream();
    const streams = (server as unknown as { streams: Map<number, Stream> }).streams;
    server.write(frame(WINDOW_UPDATE, FIN, 1, 0));
    await turn();
    stream.end();
    stream.close();
    expect(streams.size).toBe(1);
    stream.close();
    expect(streams.size).toBe(0);
  },
  'drops data for a client on a stream that the server opens': async () => {
    const client = new Client(config as never);
    const heard: string[] = [];
    for (const event of ['stream', 'error', 'connection']) client.on(event, () => heard.push(event));
    client.write(frame(WINDOW_UPDATE, SYN, 2, 0));
    client.write(data(2, Buffer.from('hello')));
    await turn();
    expect(heard).toEqual([]);
  },
  'drops the payload of a frame that opens a stream': async () => {
    const heard: string[] = [];
    const server = new Server(
      (stream) => stream.on('data', (chunk: Buffer) => heard.push(chunk.toString())),
      config as never,
    );
    server.write(frame(DATA, SYN, 1, 5, Buffer.from('first')));
    server.write(data(1, Buffer.from('second')));
    await turn();
    expect(heard).toEqual(['second']);
  },
  'queues without limit when the transport is slow': async () => {
    const client = new Client(config as never);
    const stream = client.open();
    stream.write(Buffer.alloc(WINDOW));
    client.write(frame(WINDOW_UPDATE, 0, 1, 16 * WINDOW));
    await turn();
    // Nobody reads from the session.
    for (let count = 0; count < 16; count += 1) expect(stream.write(Buffer.alloc(WINDOW))).toBe(true);
    expect(client.readableLength).toBeGreaterThan(16 * WINDOW);
  },
  'grants credit for unread data': async () => {
    const { server, stream, sent } = await serverWithStream();
    sent.length = 0;
    server.write(data(1, Buffer.alloc(WINDOW)));
    await turn();
    expect(stream.readableLength).toBe(WINDOW);
    expect(sent.map((bytes) => bytes.readUInt32BE(8))).toEqual([WINDOW]);
  },
  'accepts more than the window that it granted': async () => {
    const { server, stream } = await serverWithStream();
    const errors: unknown[] = [];
    for (const emitter of [server, stream]) emitter.on('error', (error) => errors.push(error));
    server.write(data(1, Buffer.alloc(4 * WINDOW)));
    await turn();
    expect(errors).toEqual([]);
    expect(stream.readableLength).toBe(4 * WINDOW);
    expect(server.isClosed()).toBe(false);
  },
  'checks every 100 ms whether it may send again': async () => {
    const client = new Client(config as never);
    client.resume();
    const stream = client.open();
    stream.write(Buffer.alloc(WINDOW));
    await turn();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let written = false;
    stream.write('more', () => {
      written = true;
    });
    client.write(frame(WINDOW_UPDATE, 0, 1, WINDOW));
    await turn();
    await vi.advanceTimersByTimeAsync(99);
    await turn();
    expect(written).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await turn();
    expect(written).toBe(true);
  },
};

test.each(Object.entries(claims))('yamux-js %s', async (_claim, holds) => {
  await holds();
});

test('the page has these rows, and no other', () => {
  const section = readPage('docs/how-to/move-from-yamux-js.md').prose.split('## What was broken')[1]?.split('\n## ')[0];
  const rows = (section ?? '').split('\n').filter((line) => line.startsWith('|'));
  const said = rows.slice(2).map((row) => row.split('|')[1]?.trim());
  expect(said).toEqual(Object.keys(claims));
});
