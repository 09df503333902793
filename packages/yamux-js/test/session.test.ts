// How a session lives and ends in a program that was written for yamux-js.

import { once } from 'node:events';
import { Duplex, PassThrough, pipeline } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { Client, Server, Session, Stream } from '../src/index.ts';
import { differ, QUIET } from './support/implementations.ts';
import { cut, join, turns } from './support/links.ts';
import { accepted, clientAndPeer, eventsOf, serverAndPeer, settle } from './support/peers.ts';

const WINDOW = 262_144;
const SYN_1 = Buffer.from('000100010000000100000000', 'hex');
const GO_AWAY = '000300000000000000000000';
const frame = (hex: string): Buffer => Buffer.from(hex, 'hex');

for (const size of [1, 7, 100, 65_536]) {
  differ(
    `of 50,000 bytes in frames that are cut into pieces of ${size}, so many come back`,
    async ({ Client, Server }) => {
      const server = new Server((stream) => stream.on('data', (chunk: Buffer) => stream.write(chunk)), QUIET);
      const client = new Client(QUIET);
      for (const session of [client, server]) session.on('error', () => {});
      join(client, server, size);
      const stream = client.open();
      let length = 0;
      stream.on('data', (chunk: Buffer) => {
        length += chunk.length;
      });
      stream.write(Buffer.alloc(50_000, 'bytes'));
      await turns(100);
      client.close();
      return length;
    },
    { theirs: size === 65_536 ? 50_000 : 0, ours: 50_000 },
  );
}

describe('a session', () => {
  it('carries data both ways, and the ends of both', async () => {
    const { session, peer } = clientAndPeer();
    const answered = session.open().end('shout');
    const far = await accepted(peer);
    far.end((await text(far.iterator({ destroyOnReturn: false }))).toUpperCase());
    expect(await text(answered)).toBe('SHOUT');
  });

  it('gives its handler the streams of the peer', async () => {
    const { peer } = serverAndPeer((stream) => stream.end(`stream ${stream.ID()}`));
    expect([await text(await peer.open()), await text(await peer.open())]).toEqual(['stream 1', 'stream 3']);
  });

  it('gives them also on the side of the client', async () => {
    const { peer } = serverAndPeer(() => {});
    peer.destroy();
    const far = new Server(() => {}, QUIET);
    const near = new Session(true, QUIET, (stream) => stream.end(`stream ${stream.ID()}`));
    join(near, far);
    expect(await text(far.open())).toBe('stream 2');
  });

  it('refuses them without a handler', async () => {
    const { peer } = clientAndPeer();
    const [error] = await once(await peer.open(), 'error');
    expect(error).toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET', refused: true });
  });

  it('refuses those past acceptBacklog, which counts all that are alive', async () => {
    const { peer } = serverAndPeer(() => {}, { acceptBacklog: 1 });
    const first = (await peer.open()).on('error', () => {});
    const [error] = await once(await peer.open(), 'error');
    expect(error).toMatchObject({ refused: true });
    expect(first.destroyed).toBe(false);
  });

  it('may be piped long after its streams were written to', async () => {
    const session = new Client(QUIET);
    const stream = session.open();
    stream.end('early');
    await turns();
    const server = new Server((far) => far.pipe(far), QUIET);
    join(session, server);
    expect(await text(stream)).toBe('early');
  });

  it('lets its streams wait while nobody reads it', async () => {
    const session = new Client(QUIET);
    const stream = session.open();
    await turns();
    session.write(frame('000100000000000110000000'));
    let written = 0;
    while (written < 64 * WINDOW && stream.write(Buffer.alloc(WINDOW))) written += WINDOW;
    await turns();
    expect(written).toBeLessThan(64 * WINDOW);
    expect(session.readableLength).toBeLessThan(2 * WINDOW);
    session.destroy();
  });

  it('does not read memory that a write has called back for', async () => {
    const session = new Client(QUIET);
    const sent = Buffer.alloc(10_000, 'a');
    await new Promise((resolve) => session.open().write(sent, resolve));
    sent.fill('b');
    session.close();
    expect((await buffer(session)).includes('b')).toBe(false);
  });

  it('reads a chunk that does not come as a Buffer', async () => {
    const { session, events } = serverAndPeer(() => {});
    session.write(new Uint8Array(SYN_1));
    await settle();
    expect(events).toEqual([]);
  });

  it('is driven by two pipelines', async () => {
    const [near, far] = [new PassThrough(), new PassThrough()];
    const connection = Duplex.from({ readable: far, writable: near });
    const session = new Client(QUIET);
    const results: unknown[] = [];
    pipeline(connection, session, (error) => results.push(error));
    pipeline(session, connection, (error) => results.push(error));
    const stream = session.open();
    stream.on('error', () => {});
    await turns();
    far.end();
    near.resume();
    await turns();
    expect(results).toEqual([undefined, undefined]);
    expect(session.isClosed()).toBe(true);
  });
});

describe('the transport ends under live streams', () => {
  it('without an error of the session, which ends and closes', async () => {
    const { session, socket, events, peer } = clientAndPeer();
    const stream = session.open();
    await accepted(peer);
    const heard = eventsOf(stream);
    peer.destroy();
    socket.push(null);
    await settle();
    expect(events).toEqual(['end', 'close']);
    expect(heard).toEqual([expect.stringMatching('The transport ended under 1 live stream'), 'close']);
    expect(session.isClosed()).toBe(true);
  });

  it('also where what it had to say was not read', async () => {
    const session = new Client(QUIET);
    const events = eventsOf(session);
    session.open();
    await turns();
    session.end();
    await turns();
    session.resume();
    await turns();
    expect(events).toEqual(['end', 'close']);
  });

  it('and does no harm where nobody listens for errors', async () => {
    const { session, socket } = clientAndPeer();
    const stream = session.open();
    let isClosed = false;
    stream.on('close', () => {
      isClosed = true;
    });
    await settle();
    socket.push(null);
    await settle();
    expect(isClosed).toBe(true);
  });
});

it('a stream that the peer resets closes quietly where nobody listens for errors', async () => {
  const { session, peer } = clientAndPeer();
  const stream = session.open();
  (await accepted(peer)).reset();
  // once() would listen for errors.
  await new Promise((resolve) => stream.on('close', resolve));
  expect(session.isClosed()).toBe(false);
});

describe('close()', () => {
  it('says GoAway at once, ends what the session is piped to, and destroys its streams', async () => {
    const session = new Client(QUIET);
    const events = eventsOf(session);
    const heard = eventsOf(session.open());
    await turns();
    session.read();
    session.close();
    expect((session.read() as Buffer).toString('hex')).toBe(GO_AWAY);
    session.resume();
    await turns();
    expect(events).toEqual(['end', 'close']);
    expect(heard).toEqual(['close']);
    expect(session.isClosed()).toBe(true);
  });

  it('sends first what was written on streams, and their ends', async () => {
    const { session, peer, events } = clientAndPeer();
    session.open().end(Buffer.alloc(100_000));
    session.open().write('cut short');
    session.close();
    const [whole, short] = [await accepted(peer), await accepted(peer)];
    const failed = once(short, 'error');
    expect((await buffer(whole)).length).toBe(100_000);
    expect((await failed)[0]).toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET' });
    await peer.closed;
    await settle();
    expect(events).toEqual(['end', 'close']);
  });

  it('emits the error that it is given', async () => {
    const { session, events } = clientAndPeer();
    session.close(new Error('why'));
    await settle();
    expect(events).toEqual(['why', 'end', 'close']);
  });

  it('may be called twice', async () => {
    const { session, events } = clientAndPeer();
    session.close();
    session.close(new Error('not told'));
    await settle();
    expect(events).toEqual(['end', 'close']);
  });

  it('is behind what was sent: what is written to the session afterwards is no error', async () => {
    const { session, events } = clientAndPeer();
    session.close();
    session.write(SYN_1);
    await settle();
    session.write(SYN_1);
    await settle();
    expect(events).toEqual(['end', 'close']);
  });
});

it('what is written to a session that was closed, and not read to its end, is taken', async () => {
  const session = new Client(QUIET);
  session.close();
  const error = await new Promise((resolve) => session.write(SYN_1, resolve));
  expect(error ?? null).toBe(null);
});

describe('open()', () => {
  it('gives a stream with its id at once, however many are unanswered', () => {
    const session = new Client(QUIET);
    const ids = Array.from({ length: 300 }, () => session.open().ID());
    expect(ids).toEqual(Array.from({ length: 300 }, (_, index) => 2 * index + 1));
    session.destroy();
  });

  it('is refused after close(), on the session and on the stream: session shutdown', async () => {
    const { session, events } = clientAndPeer();
    session.close();
    await settle();
    const heard = eventsOf(session.open());
    await settle();
    expect(events).toEqual(['end', 'close', 'session shutdown']);
    expect(heard).toEqual([expect.stringMatching('The session is closed'), 'close']);
  });

  it('is refused after the GoAway of the peer, and what was opened before goes on', async () => {
    const { session, peer, events } = clientAndPeer();
    const before = session.open();
    const far = await accepted(peer);
    void peer.goAway();
    await settle();
    session.open();
    await settle();
    expect(events).toEqual(['remote end is not accepting connections']);
    far.end('still here');
    expect(await text(before)).toBe('still here');
  });
});

describe('what the peer does wrong has the text of yamux-js, and our error as its cause', () => {
  it.each([
    ['invalid protocol version', 'ERR_YAMUX_PROTOCOL', '010300000000000000000000'],
    ['invalid msg type', 'ERR_YAMUX_PROTOCOL', '000700000000000000000000'],
    ['duplicate stream initiated', 'ERR_YAMUX_PROTOCOL', '000100010000000100000000'],
    ['recv window exceeded', 'ERR_YAMUX_PROTOCOL', '000000000000000100040001'],
    ['unexpected flag', 'ERR_YAMUX_PROTOCOL', '000100010000000200000000'],
    ['yamux protocol error', 'ERR_YAMUX_GO_AWAY', '000300000000000000000001'],
    ['remote yamux internal error', 'ERR_YAMUX_GO_AWAY', '000300000000000000000002'],
    ['unexpected go away received', 'ERR_YAMUX_GO_AWAY', '000300000000000000000005'],
  ])('%s', async (message, code, sent) => {
    const lines: unknown[] = [];
    const session = new Server(() => {}, { ...QUIET, logger: (line: unknown) => lines.push(line) });
    session.resume();
    const events = eventsOf(session);
    const failed = once(session, 'error');
    session.write(SYN_1);
    session.write(frame(sent));
    const [error] = (await failed) as [Error];
    expect(error).toMatchObject({ message, code, cause: { code } });
    await turns();
    expect(events).toEqual(['end', message, 'close']);
    expect(lines).toEqual([`[ERR] yamux: ${message}`]);
  });

  it('of GoAway(1) that ends a session, the peer is told', async () => {
    const session = new Server(() => {}, QUIET);
    session.on('error', () => {});
    session.write(frame('010300000000000000000000'));
    expect((await buffer(session.pipe(cut(100)))).toString('hex')).toBe('000300000000000000000001');
  });
});

describe('a stream', () => {
  it('is a Stream, and a Duplex; others are none', () => {
    const session = new Client(QUIET);
    const stream = session.open();
    expect([stream instanceof Stream, stream instanceof Duplex]).toEqual([true, true]);
    expect([session, null, {}].map((other: unknown) => (other as object) instanceof Stream)).toEqual([
      false,
      false,
      false,
    ]);
    session.destroy();
  });

  it('is ended by close(), however often it is called, and read on', async () => {
    const { session, peer } = clientAndPeer();
    const stream = session.open();
    stream.write('question');
    stream.close();
    stream.close();
    const far = await accepted(peer);
    expect(await text(far.iterator({ destroyOnReturn: false }))).toBe('question');
    far.end('answer');
    expect(await text(stream)).toBe('answer');
  });

  it('is whole for the peer when it is closed, and destroyed in the next turn', async () => {
    const { session, peer } = clientAndPeer();
    const stream = session.open();
    stream.write(Buffer.alloc(100_000));
    stream.close();
    setImmediate(() => stream.destroy());
    expect((await buffer(await accepted(peer))).length).toBe(100_000);
  });

  it('is reset by forceClose()', async () => {
    const { session, peer } = clientAndPeer();
    const stream = session.open();
    const far = await accepted(peer);
    stream.forceClose();
    const [error] = await once(far, 'error');
    expect(error).toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET' });
    expect(stream.destroyed).toBe(true);
  });
});
