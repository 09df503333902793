// What the published tests of yamux-js are about, as far as it is behaviour.

import type { Duplex } from 'node:stream';
import { afterEach, vi } from 'vitest';
import { alike, QUIET, type YamuxJs } from './support/implementations.ts';
import { join, turns } from './support/links.ts';

afterEach(() => {
  vi.useRealTimers();
});

const KEEPING_ALIVE = { ...QUIET, enableKeepAlive: true, keepAliveInterval: 0.1, connectionWriteTimeout: 0.5 };

/** Manual time, for theirs and for ours. */
function stopTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] });
}

const echo = (stream: Duplex): void => {
  stream.on('data', (chunk: Buffer) => stream.write(chunk));
};

/** What comes back on `count` streams that are opened at once, of which each sends a text of its own. */
async function echoes({ Session }: YamuxJs, count: number, repeat = 1): Promise<number> {
  const config = { ...QUIET, acceptBacklog: count };
  const server = new Session(false, config, echo);
  const client = new Session(true, QUIET);
  join(client, server);
  const streams = Array.from({ length: count }, (_, index) => {
    const stream = client.open();
    const sent = `echo ${index};`.repeat(repeat);
    let received = '';
    stream.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    stream.write(sent);
    return () => received === sent;
  });
  await turns();
  client.close();
  return streams.filter((isWhole) => isWhole()).length;
}

alike(
  'a client and a server are sessions',
  async ({ Client, Server, Session }) => {
    const sessions = [new Client(QUIET), new Server(() => {}, QUIET)];
    for (const session of sessions) session.close();
    return sessions.map((session) => session instanceof Session);
  },
  [true, true],
);

alike(
  'with keep-alive a session pings in every interval, by the same frame but for the value',
  async ({ Session }) => {
    stopTime();
    const session = new Session(false, KEEPING_ALIVE);
    const pings: string[] = [];
    session.on('data', (chunk: Buffer) => {
      pings.push(chunk.toString('hex', 0, 8));
      // An answer.
      session.write(Buffer.concat([Buffer.from('0002000200000000', 'hex'), chunk.subarray(8)]));
    });
    await vi.advanceTimersByTimeAsync(450);
    session.close();
    return pings.slice(0, 4);
  },
  ['0002000100000000', '0002000100000000', '0002000100000000', '0002000100000000'],
);

alike(
  'a ping that nobody answers ends the session: keepalive timeout',
  async ({ Session }) => {
    stopTime();
    const session = new Session(false, KEEPING_ALIVE);
    session.resume();
    const errors: string[] = [];
    session.on('error', (error) => errors.push(error.message));
    await vi.advanceTimersByTimeAsync(5000);
    return [errors[0], session.isClosed()];
  },
  ['keepalive timeout', true],
);

alike('ten streams echo', (yamux) => echoes(yamux, 10), 10);

alike('a thousand streams that are opened at once echo', (yamux) => echoes(yamux, 1000), 1000);

alike('two streams echo 70 kB each', (yamux) => echoes(yamux, 2, 10_000), 2);

alike(
  'an open after the GoAway of the peer is told on the session: remote end is not accepting connections',
  async ({ Session }) => {
    const server = new Session(false, QUIET);
    const client = new Session(true, QUIET);
    join(client, server);
    const errors: string[] = [];
    client.on('error', (error) => errors.push(error.message));
    server.close();
    await turns();
    client.open();
    await turns();
    return errors;
  },
  ['remote end is not accepting connections'],
);

alike(
  'credit between two messages loses neither',
  async ({ Session }) => {
    const server = new Session(false, QUIET, (stream) => {
      stream.on('data', (chunk: Buffer) => received.push(chunk.toString()));
    });
    const client = new Session(true, QUIET);
    const received: string[] = [];
    join(client, server);
    const stream = client.open();
    stream.write('before');
    await turns();
    server.write(Buffer.from('000100000000000100000001', 'hex'));
    stream.write('behind');
    await turns();
    client.close();
    return received;
  },
  ['before', 'behind'],
);

alike(
  'a stream that is ended in the handler that gets it does no harm',
  async ({ Session }) => {
    const server = new Session(false, QUIET, (stream) => void stream.end());
    const client = new Session(true, QUIET);
    join(client, server);
    const errors: string[] = [];
    for (const session of [server, client]) session.on('error', (error) => errors.push(error.message));
    client.open();
    await turns();
    return errors;
  },
  [],
);

alike(
  'the ids of a client are odd, those of a server even',
  async ({ Client, Server }) => {
    const client = new Client(QUIET);
    const server = new Server(() => {}, QUIET);
    const ids = [client.open(), client.open(), server.open(), server.open()].map((stream) => stream.ID());
    client.close();
    server.close();
    return ids;
  },
  [1, 3, 2, 4],
);

alike(
  'close() of a stream sends FIN',
  async ({ Client }) => {
    const client = new Client(QUIET);
    const sent: Buffer[] = [];
    client.on('data', (chunk: Buffer) => sent.push(chunk));
    const stream = client.open();
    client.write(Buffer.from('000100020000000100000000', 'hex'));
    await turns();
    sent.length = 0;
    stream.close();
    await turns();
    const frames = Buffer.concat(sent).toString('hex');
    client.close();
    return frames;
  },
  '000100040000000100000000',
);
