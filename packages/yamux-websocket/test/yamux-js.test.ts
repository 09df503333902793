// Interop with yamux-js. It cannot join a split frame, so it depends on messages that end between frames, as ours do. Its client accepts no
// stream that the peer opens, so no test opens one to it.
import type { Duplex } from 'node:stream';
import type { YamuxSession } from '@zishuo/yamux';
import { afterEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import * as version01 from 'yamux-js-0.1';
import * as version02 from 'yamux-js-0.2';
import { client, server } from '../src/session.ts';
import { closePairs, wsPair } from './support/ws-pair.ts';

afterEach(closePairs);

/** The common interface of both versions; their types differ only in private members. */
interface TheirSession extends Duplex {
  open(): Duplex;
}

/** Connects it as its users do: each message is a chunk. */
function over(socket: WebSocket, session: TheirSession): TheirSession {
  socket.on('message', (data: Buffer) => session.write(data));
  session.on('data', (data: Buffer) => socket.send(data));
  return session;
}

const echo = (stream: Duplex): void => void stream.on('data', (data: Buffer) => stream.write(data));

/** Writes this many bytes and waits until they have come back. */
async function echoed(stream: Duplex, bytes: number): Promise<void> {
  stream.on('error', () => {}); // the session ends before it does
  const sent = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 1) sent[at] = (at * 7 + (at >> 9)) & 0xff;
  const received: Buffer[] = [];
  let length = 0;
  const whole = new Promise<void>((resolve) => {
    stream.on('data', (data: Buffer) => {
      received.push(data);
      length += data.length;
      if (length >= bytes) resolve();
    });
  });
  stream.write(sent);
  await whole;
  expect(Buffer.concat(received).equals(sent)).toBe(true);
}

/** Data of more than three windows. */
const MUCH = 900_000;

describe.each([
  ['0.1.2', version01],
  ['0.2.0', version02],
])('yamux-js %s over a WebSocket', (_version, { Client, Server }) => {
  const config = { enableKeepAlive: false, logger: () => {} };

  async function connect(them: 'client' | 'server'): Promise<{ ours: YamuxSession; theirs: TheirSession }> {
    const pair = await wsPair();
    const theirs = over(
      pair.server,
      them === 'client' ? new Client(config as never) : new Server(echo, config as never),
    );
    const ours = (them === 'client' ? server : client)(pair.client, { keepAliveInterval: 0 });
    ours.on('error', () => {});
    return { ours, theirs };
  }

  it('is a client that sends much data to our server and back on many streams', async () => {
    const { ours, theirs } = await connect('client');
    ours.on('stream', (stream) => stream.on('error', () => {}).pipe(stream));
    await Promise.all([MUCH, 1, 70_000].map((bytes) => echoed(theirs.open(), bytes)));
    ours.destroy();
  });

  it('is a server that echoes what our client sends', async () => {
    const { ours } = await connect('server');
    await Promise.all([MUCH, 1, 70_000].map(async (bytes) => echoed(await ours.open(), bytes)));
    ours.destroy();
  });

  it('is a server that opens streams to our client', async () => {
    const { ours, theirs } = await connect('server');
    ours.on('stream', (stream) => stream.on('error', () => {}).pipe(stream));
    await echoed(theirs.open(), MUCH);
    ours.destroy();
  });
});
