// yamux-js, which everybody has. It cannot put a split frame together again, so it lives from messages that end between frames, as ours do;
// its client takes no stream that its peer opens, and is asked for none.
import type { Duplex } from 'node:stream';
import type { YamuxSession } from '@zishuo/yamux';
import { afterEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import * as version01 from 'yamux-js-0.1';
import * as version02 from 'yamux-js-0.2';
import { client, server } from '../src/session.ts';
import { closePairs, wsPair } from './support/ws-pair.ts';

afterEach(closePairs);

/** What both versions have; their types differ by private parts alone. */
interface TheirSession extends Duplex {
  open(): Duplex;
}

/** As its users connect it: a message is a chunk. */
function over(socket: WebSocket, session: TheirSession): TheirSession {
  socket.on('message', (data: Buffer) => session.write(data));
  session.on('data', (data: Buffer) => socket.send(data));
  return session;
}

const echo = (stream: Duplex): void => void stream.on('data', (data: Buffer) => stream.write(data));

/** Writes so much and waits until it has come back. */
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

/** More than three windows. */
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

  it('as the client sends much to our server and back on many streams', async () => {
    const { ours, theirs } = await connect('client');
    ours.on('stream', (stream) => stream.on('error', () => {}).pipe(stream));
    await Promise.all([MUCH, 1, 70_000].map((bytes) => echoed(theirs.open(), bytes)));
    ours.destroy();
  });

  it('as the server sends back what our client sends', async () => {
    const { ours } = await connect('server');
    await Promise.all([MUCH, 1, 70_000].map(async (bytes) => echoed(await ours.open(), bytes)));
    ours.destroy();
  });

  it('as the server opens streams to our client', async () => {
    const { ours, theirs } = await connect('server');
    ours.on('stream', (stream) => stream.on('error', () => {}).pipe(stream));
    await echoed(theirs.open(), MUCH);
    ours.destroy();
  });
});
