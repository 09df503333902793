// Opening and accepting: who gets a stream, in which order, and that nobody is hurt by a peer that is quicker than the code that awaits.

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import type { YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { ack, data, goAway, rst, SYN, syn } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { closed, facingPeer, sessionPair } from '../support/pairs.ts';

test('open() sends SYN at once and resolves without waiting for the peer', async () => {
  const { session, peer } = facingPeer('client');
  const stream = await session.open();
  expect(stream.acknowledged).toBe(false);
  expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0']);
});

test('the client opens odd ids and the server even ones', async () => {
  const { a, b } = sessionPair();
  const ids = [await a.open(), await a.open(), await b.open(), await b.open()].map(({ id }) => id);
  expect(ids).toEqual([1, 3, 2, 4]);
});

test('the ACK goes out when the stream is handed over, not before', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1), syn(3));
  expect(await peer.heard()).toEqual([]);
  await session.accept();
  expect(await peer.heard()).toEqual(['CREDIT ACK 1 +0']);
  session.on('stream', () => {});
  expect(await peer.heard()).toEqual(['CREDIT ACK 3 +0']);
});

test('a waiting accept() comes before the listeners, the listeners before the backlog', async () => {
  const { session, peer } = facingPeer('server');
  const heard: number[] = [];
  session.on('stream', (stream) => heard.push(stream.id));
  const accepted = session.accept();
  peer.send(syn(1), syn(3));
  expect((await accepted).id).toBe(1);
  await settle();
  expect(heard).toEqual([3]);
});

test('once() takes one stream and leaves the others in the backlog', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1), syn(3));
  await settle();
  const [first] = (await once(session, 'stream')) as [YamuxStream];
  expect(first.id).toBe(1);
  expect((await session.accept()).id).toBe(3);
});

test('one SYN past the backlog is refused, and the session lives', async () => {
  const { session, peer } = facingPeer('server', { acceptBacklog: 2 });
  peer.send(syn(1), syn(3), syn(5));
  expect(await peer.heard()).toEqual(['CREDIT RST 5 code 0']);
  expect((await session.accept()).id).toBe(1);
  peer.send(syn(7));
  expect(await peer.heard()).toEqual(['CREDIT ACK 1 +0']);
});

test('acceptBacklog 0 refuses every inbound stream, also with a listener', async () => {
  const { session, peer } = facingPeer('server', { acceptBacklog: 0 });
  session.on('stream', () => expect.unreachable());
  peer.send(syn(1));
  expect(await peer.heard()).toEqual(['CREDIT RST 1 code 0']);
});

test('one SYN past maxInboundStreams is refused, and one more is taken when a stream has ended', async () => {
  const { session, peer } = facingPeer('server', { maxInboundStreams: 1 });
  session.on('stream', (stream) => stream.on('error', () => {}));
  peer.send(syn(1), syn(3), rst(1), syn(5));
  expect(await peer.heard()).toEqual(['CREDIT ACK 1 +0', 'CREDIT RST 3 code 0', 'CREDIT ACK 5 +0']);
});

test('SYN and RST in one chunk: the awaiting code hears the error, nobody is surprised by it', async () => {
  const { session, peer } = facingPeer('server');
  const accepted = session.accept();
  peer.send(syn(1), data(1, 'x'), rst(1, 4));
  const stream = await accepted;
  const [error] = await once(stream, 'error');
  expect(error).toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET', errorCode: 4 });
});

test('SYN and the death of the session in one chunk: the same', async () => {
  const { session, peer } = facingPeer('server');
  const order: string[] = [];
  session.on('error', () => order.push('session error'));
  session.on('close', () => order.push('session close'));
  const accepted = session.accept();
  peer.send(syn(1), goAway(2));
  const stream = await accepted;
  stream.on('error', () => order.push('stream error'));
  stream.on('close', () => order.push('stream close'));
  await closed(session);
  expect(order).toEqual(['stream error', 'stream close', 'session error', 'session close']);
});

test('SYN, data and RST in one chunk: for await, finished and pipeline throw, and never end cleanly', async () => {
  const readers = [
    async (stream: YamuxStream) => {
      for await (const _ of stream);
    },
    (stream: YamuxStream) => finished(stream, { writable: false }),
    (stream: YamuxStream) => pipeline(stream, new PassThrough().resume()),
  ];
  for (const read of readers) {
    const { session, peer } = facingPeer('server');
    const accepted = session.accept();
    peer.send(syn(1), data(1, 'half a file'), rst(1));
    await expect(accepted.then(read)).rejects.toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET' });
  }
});

test('a stream whose session is destroyed in the tick of its open() errors where it is awaited', async () => {
  const { session } = facingPeer('client');
  const opened = session.open();
  session.destroy();
  const stream = await opened;
  const [error] = await once(stream, 'error');
  expect(error).toMatchObject({ code: 'ERR_YAMUX_SESSION_CLOSED', scope: 'session', origin: 'local' });
});

test('what a stream listener throws loses no data of other streams', async () => {
  const { session, peer } = facingPeer('server');
  const thrown: unknown[] = [];
  const catchAll = (error: unknown): void => void thrown.push(error);
  const others = process.rawListeners('uncaughtException') as Array<(error: Error) => void>;
  process.removeAllListeners('uncaughtException').on('uncaughtException', catchAll);
  const received: string[] = [];
  session.on('stream', (stream) => {
    stream.on('data', (chunk: Buffer) => {
      received.push(`${stream.id} ${chunk}`);
      if (stream.id === 1) throw new Error("the listener's own");
    });
    if (stream.id === 5) throw new Error("the listener's own");
  });
  peer.send(data(1, 'a', SYN), data(3, 'b', SYN), data(5, 'c', SYN), data(1, 'd'), data(5, 'e'));
  await settle();
  process.off('uncaughtException', catchAll);
  for (const listener of others) process.on('uncaughtException', listener);
  expect(received.sort()).toEqual(['1 a', '1 d', '3 b', '5 c', '5 e']);
  expect(thrown).toHaveLength(3);
});

test('opens past maxUnacknowledged wait in order until the peer answers', async () => {
  const { session, peer } = facingPeer('client', { maxUnacknowledged: 2 });
  const opened: number[] = [];
  const opens = [1, 2, 3, 4].map(() => session.open().then(({ id }) => opened.push(id)));
  expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0', 'CREDIT SYN 3 +0']);
  expect(session.stats()).toMatchObject({ unacknowledged: 2, waitingOpens: 2 });
  peer.send(ack(3));
  expect(await peer.heard()).toEqual(['CREDIT SYN 5 +0']);
  peer.send(data(1, 'counts as an answer'));
  expect(await peer.heard()).toEqual(['CREDIT SYN 7 +0']);
  await Promise.all(opens);
  expect(opened).toEqual([1, 3, 5, 7]);
});

test('a slot is freed when our stream ends, and after ten seconds without an answer', async () => {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { maxUnacknowledged: 1, clock });
  const first = await session.open();
  const second = session.open();
  first.destroy();
  expect((await second).id).toBe(3);
  const third = session.open();
  clock.advance(9_999);
  expect(session.stats().waitingOpens).toBe(1);
  clock.advance(1);
  expect((await third).id).toBe(5);
  expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0', 'CREDIT RST 1 code 0', 'CREDIT SYN 3 +0', 'CREDIT SYN 5 +0']);
});

test('a waiting open() and a waiting accept() are taken back by their signals, and leave no listener there', async () => {
  const { session } = facingPeer('client', { maxUnacknowledged: 1 });
  await session.open();
  const controller = new AbortController();
  const open = session.open({ signal: controller.signal });
  const accept = session.accept({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(open).rejects.toThrow('enough');
  await expect(accept).rejects.toThrow('enough');
  await expect(session.open({ signal: controller.signal })).rejects.toThrow('enough');
  expect(session.stats().waitingOpens).toBe(0);
});

test('one signal may take back any number of calls', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  const { session } = facingPeer('client');
  const controller = new AbortController();
  const accepts = Array.from({ length: 20 }, () => session.accept({ signal: controller.signal }));
  controller.abort(new Error('enough'));
  for (const result of await Promise.allSettled(accepts)) expect(result.status).toBe('rejected');
  await settle();
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});

test('for await accepts until a clean end', async () => {
  const { a, b } = sessionPair();
  const ids: number[] = [];
  const accepting = (async () => {
    for await (const stream of b) {
      ids.push(stream.id);
      stream.resume().end();
    }
  })();
  for (let opened = 0; opened < 3; opened += 1) (await a.open()).resume().end();
  await a.close();
  await accepting;
  expect(ids).toEqual([1, 3, 5]);
});

test('for await throws on an unclean end', async () => {
  const { session, peer } = facingPeer('server');
  session.on('error', () => {});
  const accepting = (async () => {
    for await (const _ of session) expect.unreachable();
  })();
  peer.send(goAway(1));
  await expect(accepting).rejects.toMatchObject({
    code: 'ERR_YAMUX_SESSION_CLOSED',
    cause: { code: 'ERR_YAMUX_GO_AWAY', goAwayCode: 1 },
  });
});

test('leaving for await only stops accepting', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(syn(1), syn(3));
  for await (const stream of session) {
    expect(stream.id).toBe(1);
    break;
  }
  expect(session.state).toBe('open');
  expect((await session.accept()).id).toBe(3);
});
