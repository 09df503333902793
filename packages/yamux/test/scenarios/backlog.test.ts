// Many opens, few answers: what waits, what is refused, and what races with the end of the session.

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { client, server, type YamuxSession, type YamuxStream } from '../../src/index.ts';
import { duplexPair, settle } from '../support/duplex-pair.ts';
import { closed, sessionPair } from '../support/pairs.ts';

async function openMany(session: YamuxSession, count: number): Promise<YamuxStream[]> {
  return Promise.all(Array.from({ length: count }, () => session.open()));
}

describe('opens past what the peer has accepted', () => {
  test('wait: by default the 257th, until one of the 256 is accepted', async () => {
    const { a, b } = sessionPair();
    await openMany(a, 256);
    let isOpen = false;
    const last = a.open().then((stream) => {
      isOpen = true;
      return stream;
    });
    await settle();
    expect(isOpen).toBe(false);
    expect(b.stats().backlog).toBe(256);
    await b.accept();
    expect((await last).id).toBe(513);
  });

  test('are all accepted in the end, in order, five times as many as wait at once', async () => {
    const { a, b } = sessionPair({ acceptBacklog: 8, maxUnacknowledged: 8 });
    const opened = openMany(a, 40);
    const ids: number[] = [];
    for (let accepted = 0; accepted < 40; accepted += 1) ids.push((await b.accept()).id);
    expect(ids).toEqual((await opened).map(({ id }) => id));
    expect(a.stats()).toMatchObject({ streams: 40, waitingOpens: 0 });
  });

  test('find their way when those before them were ended, or destroyed, before anybody accepted them', async () => {
    const { a, b } = sessionPair({ acceptBacklog: 8, maxUnacknowledged: 8 });
    for (const [index, stream] of (await openMany(a, 8)).entries()) {
      if (index % 2 === 0) stream.resume().end('early');
      else stream.destroy();
    }
    const next = openMany(a, 8);
    for (let accepted = 0; accepted < 8; accepted += 1) {
      const stream = await b.accept();
      stream.on('error', () => {});
      stream.resume().end();
    }
    expect((await next).map(({ id }) => id)).toEqual([17, 19, 21, 23, 25, 27, 29, 31]);
  });

  test('are refused, and say so, if we do not wait; after an accept there is room again', async () => {
    const { a, b } = sessionPair({ acceptBacklog: 2 });
    const streams = await openMany(a, 3);
    const refused = streams[2] as YamuxStream;
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET', refused: true });
    await b.accept();
    const again = await a.open();
    await settle();
    expect(again.destroyed).toBe(false);
    expect(b.stats().backlog).toBe(2);
  });

  test('as many inbound streams as maxInboundStreams live at once, and never one more', async () => {
    const { a, b } = sessionPair({ maxInboundStreams: 10 });
    b.on('stream', (stream) => stream.resume().on('end', () => stream.end()));
    const refusals: unknown[] = [];
    for (let round = 0; round < 3; round += 1) {
      const streams = await openMany(a, 15);
      for (const stream of streams) stream.on('error', (error) => refusals.push(error)).resume();
      await settle();
      expect(b.stats().inboundStreams).toBe(10);
      for (const stream of streams) stream.end();
      await settle();
      expect(b.stats().inboundStreams).toBe(0);
    }
    expect(refusals).toHaveLength(15);
    for (const error of refusals) expect(error).toMatchObject({ refused: true });
  });
});

describe('pings', () => {
  test('from both sides at once, hundreds of them, are all answered', async () => {
    const { a, b } = sessionPair();
    const pings = Array.from({ length: 300 }, (_, index) => (index % 2 === 0 ? a : b).ping());
    for (const roundTrip of await Promise.all(pings)) expect(roundTrip).toBeGreaterThanOrEqual(0);
    expect(a.stats().framesSent).toBe(2);
  });

  test('wait while the transport takes nothing, and all come back when it does', async () => {
    const [left, right] = duplexPair();
    const a = client(left, { keepAliveInterval: 0 });
    const b = server(right, { keepAliveInterval: 0 });
    const stream = await a.open();
    const inbound = (await b.accept()).resume();
    await settle();
    left.stall();
    right.stall();
    stream.end(Buffer.alloc(4 * 1024 * 1024));
    inbound.end();
    const pings = [a.ping(), b.ping(), a.ping(), b.ping()];
    await settle();
    left.flow();
    right.flow();
    await Promise.all(pings);
    await closed(inbound);
    expect(inbound.bytesRead).toBe(4 * 1024 * 1024);
  });
});

test.each([
  ['clients', client],
  ['servers', server],
] as const)('two %s tell each other that this is no Yamux connection', async (_name, make) => {
  const [left, right] = duplexPair();
  const sessions = [make(left, { keepAliveInterval: 0 }), make(right, { keepAliveInterval: 0 })];
  const errors = sessions.map((session) => once(session, 'error'));
  const stream = await (sessions[0] as YamuxSession).open();
  const failed = once(stream, 'error');
  const [mine, theirs] = await Promise.all(errors);
  expect(theirs?.[0]).toMatchObject({ code: 'ERR_YAMUX_PROTOCOL', origin: 'remote' });
  expect(mine?.[0]).toMatchObject({ code: 'ERR_YAMUX_GO_AWAY', goAwayCode: 1 });
  expect((await failed)[0]).toBe(mine?.[0]);
});

describe('opens that race with the end', () => {
  type End = (a: YamuxSession, b: YamuxSession) => unknown;
  const ends: ReadonlyArray<readonly [string, End]> = [
    ['our close()', (a) => a.close({ timeout: 0 })],
    ["the peer's close()", (_a, b) => b.close({ timeout: 0 })],
    ['destroy()', (a) => a.destroy()],
    ["the peer's destroy()", (_a, b) => b.destroy()],
    ['destroy(error)', (a) => a.destroy(new Error('mine'))],
    ["the peer's goAway(), then both close", (a, b) => Promise.all([b.goAway(), a.close(), b.close()])],
    ['both closing', (a, b) => Promise.all([a.close({ timeout: 0 }), b.close({ timeout: 0 })])],
  ];

  test.each(ends)('all settle, and every stream that was opened closes: %s', async (_name, end) => {
    for (let turnsBefore = 0; turnsBefore < 8; turnsBefore += 1) {
      const { a, b } = sessionPair({ maxUnacknowledged: 4 });
      for (const session of [a, b]) session.on('error', () => {});
      const closings = [closed(a), closed(b)];
      const streams: YamuxStream[] = [];
      const keep = (stream: YamuxStream): YamuxStream => {
        streams.push(stream);
        return stream.on('error', () => {}).resume();
      };
      b.on('stream', (stream) => keep(stream).end('hello'));
      const opens: Array<Promise<unknown>> = [];
      const open = (): void => {
        const opened = a.open().then((stream) => keep(stream).end('hi'));
        opens.push(opened.catch((error: unknown) => error));
      };
      for (let opened = 0; opened < 20; opened += 1) open();
      for (let turns = 0; turns < turnsBefore; turns += 1) await new Promise(setImmediate);
      await Promise.allSettled([end(a, b)]);
      await settle();
      for (let opened = 0; opened < 3; opened += 1) open();
      const outcomes = await Promise.all(opens);
      for (const error of outcomes) if (error instanceof Error) expect(error).toMatchObject({ scope: 'session' });
      expect(outcomes.slice(-3).map((outcome) => outcome instanceof Error)).toEqual([true, true, true]);
      await Promise.all(closings);
      await settle();
      expect(streams.filter((stream) => !stream.closed)).toEqual([]);
    }
  });

  test('a thousand writers, a transport that is stuck, and an end inside a frame: everybody hears of it', async () => {
    const [left, right] = duplexPair();
    const session = client(left, { keepAliveInterval: 0, maxUnacknowledged: 2000 });
    session.on('error', () => {});
    const streams = await openMany(session, 1000);
    const outcomes: unknown[] = [];
    for (const stream of streams) {
      stream.on('error', () => {}).write(Buffer.alloc(100_000), (error) => outcomes.push(error));
      stream.end();
    }
    left.stall();
    right.resume().write(Buffer.from('00000000000000010000ffff68', 'hex'));
    right.end();
    await closed(session);
    await settle();
    expect(outcomes).toHaveLength(1000);
    expect(new Set(outcomes.filter((error) => error !== null && error !== undefined)).size).toBe(1);
    expect(streams.every((stream) => stream.closed)).toBe(true);
  });
});
