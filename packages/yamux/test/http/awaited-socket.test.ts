import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { AwaitedSocket } from '../../src/http/awaited-socket.ts';
import { client, server } from '../../src/index.ts';
import { duplexPair, settle } from '../support/duplex-pair.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { sessionPair } from '../support/pairs.ts';

interface Scene {
  readonly socket: AwaitedSocket;
  readonly opening: AbortController;
  readonly give: (stream: Duplex) => void;
  readonly refuse: (error: Error) => void;
}

function awaited(): Scene {
  const opening = new AbortController();
  let give: Scene['give'] | undefined;
  let refuse: Scene['refuse'] | undefined;
  const stream = new Promise<Duplex>((resolve, reject) => {
    give = resolve;
    refuse = reject;
  });
  const socket = new AwaitedSocket(stream, opening);
  return { socket, opening, give: give as Scene['give'], refuse: refuse as Scene['refuse'] };
}

/** One that has its stream; `far` is the other end. */
async function attached(): Promise<{ socket: AwaitedSocket; near: Duplex; far: Duplex }> {
  const { socket, give } = awaited();
  const [near, far] = duplexPair();
  give(near);
  await once(socket, 'connect');
  return { socket, near, far };
}

/** Without destroying it, as a loop would. */
async function allOf(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

describe('before the stream is there', () => {
  test('it is connecting; then come "connect" and "ready"', async () => {
    const { socket, give } = awaited();
    const events: string[] = [];
    for (const event of ['connect', 'ready']) socket.on(event, () => events.push(`${event} ${socket.connecting}`));
    expect([socket.connecting, socket.pending, socket.readyState]).toEqual([true, true, 'opening']);
    give(duplexPair()[0]);
    await settle();
    expect(events).toEqual(['connect false', 'ready false']);
    expect(socket.readyState).toBe('open');
  });

  test('what is written, and the end, wait for it', async () => {
    const { socket, give } = awaited();
    const written: string[] = [];
    socket.write('one ', () => written.push('one'));
    socket.write('two ', () => written.push('two'));
    socket.end('three');
    await settle();
    expect(written).toEqual([]);
    const [near, far] = duplexPair();
    give(near);
    expect(await text(far)).toBe('one two three');
    expect(written).toEqual(['one', 'two']);
  });

  test('destroy() aborts the opening and closes at once; a write is told, and a stream that still comes is destroyed', async () => {
    const { socket, opening, give } = awaited();
    const told: unknown[] = [];
    socket.write('x', (error) => told.push((error as NodeJS.ErrnoException).code));
    socket.destroy();
    expect([opening.signal.aborted, socket.connecting, socket.readyState]).toEqual([true, false, 'closed']);
    await once(socket, 'close');
    expect(told).toEqual(['ERR_YAMUX_STREAM_DESTROYED']);
    const [near] = duplexPair();
    give(near);
    await settle();
    expect(near.destroyed).toBe(true);
  });

  test('one that can not be opened is the error of the socket', async () => {
    const { socket, refuse } = awaited();
    refuse(new Error('no way'));
    await expect(once(socket, 'connect')).rejects.toThrow('no way');
    expect(socket.destroyed).toBe(true);
  });

  test('one that was destroyed already is its end', async () => {
    const { socket, give } = awaited();
    const [near] = duplexPair();
    give(near.destroy());
    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  });

  test('one that was read to its end already is an input that holds nothing', async () => {
    const { socket, give } = awaited();
    const [near, far] = duplexPair();
    far.end();
    near.resume();
    await once(near, 'end');
    give(near);
    await once(socket, 'end');
    await once(socket, 'close');
  });
});

describe('bytes', () => {
  test('come through whole in both directions', async () => {
    const { socket, far } = await attached();
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    for (let at = 0; at < sent.length; at += 7000) socket.write(sent.subarray(at, at + 7000));
    socket.end();
    far.end(sent);
    const [there, back] = await Promise.all([allOf(far), allOf(socket)]);
    expect([there.equals(sent), back.equals(sent)]).toEqual([true, true]);
  });

  test('of the peer are not copied', async () => {
    const { near, socket } = await attached();
    const chunk = Buffer.from('the very same memory');
    const [seen] = (await Promise.all([once(socket, 'data'), near.push(chunk)]))[0] as [Buffer];
    expect(seen.buffer).toBe(chunk.buffer);
  });

  test('that nobody reads stay with the sender, but for what the buffers hold', async () => {
    const { socket, near, far } = await attached();
    socket.pause();
    let taken = 0;
    for (let chunks = 0; chunks < 100; chunks += 1) far.write(Buffer.alloc(8192), () => (taken += 8192));
    await settle();
    expect(near.isPaused()).toBe(true);
    expect(socket.readableLength).toBeLessThanOrEqual(65_536 + 8192);
    expect(taken).toBeLessThanOrEqual(3 * 65_536);
    socket.resume();
    await settle();
    expect(taken).toBe(100 * 8192);
  });

  test("a write that the stream has room for is done at once, and its memory the writer's", async () => {
    const { socket, near } = await attached();
    const taken: Buffer[] = [];
    near._write = (chunk: Buffer) => taken.push(chunk);
    const chunk = Buffer.from('mine');
    const error = await new Promise((resolve) => socket.write(chunk, resolve));
    chunk.fill('x');
    expect([error, String(taken[0])]).toEqual([null, 'mine']);
  });

  test.each([4096, 70_000])(
    "a write of %i bytes is not copied, and done when the stream's is, so that its memory may be used again",
    async (size) => {
      const { socket, near } = await attached();
      let finish: (() => void) | undefined;
      near._write = (_chunk, _encoding, callback) => (finish = callback);
      let isWritten = false;
      socket.write(Buffer.alloc(size), () => (isWritten = true));
      await settle();
      expect(isWritten).toBe(false);
      finish?.();
      await settle();
      expect(isWritten).toBe(true);
    },
  );

  test('write() says false when more waits than the socket holds', async () => {
    const { socket, near } = await attached();
    near._write = () => {};
    expect(socket.write(Buffer.alloc(60_000))).toBe(true);
    expect(socket.write(Buffer.alloc(60_000))).toBe(false);
  });
});

describe('ends', () => {
  test('an input that holds nothing ends although nobody reads, and our side with it', async () => {
    const { socket, far } = await attached();
    far.resume().end();
    await once(socket, 'close');
    expect([socket.readableEnded, socket.writableFinished, socket.errored]).toEqual([true, true, null]);
    expect(far.readableEnded).toBe(true);
  });

  test('an error of the stream is that of the socket, and the other way round', async () => {
    const first = await attached();
    first.near.destroy(new Error('of the stream'));
    await expect(once(first.socket, 'end')).rejects.toThrow('of the stream');
    const second = await attached();
    const error = once(second.near, 'end');
    second.socket.on('error', () => {}).destroy(new Error('of the socket'));
    await expect(error).rejects.toThrow('of the socket');
  });

  test('a stream that is destroyed without an error is the close of the socket', async () => {
    const { socket, near } = await attached();
    near.destroy();
    await once(socket, 'close');
    expect([socket.readableEnded, socket.errored]).toEqual([false, null]);
  });

  test('what was received whole is read to its end, though the stream fails', async () => {
    const { socket, near, far } = await attached();
    socket.pause();
    far.end('all of it');
    await once(near, 'end');
    const writing = new Promise((resolve) => socket.write(Buffer.alloc(70_000), resolve));
    near.destroy(new Error('gone'));
    await settle();
    expect(socket.destroyed).toBe(false);
    socket.on('error', () => {});
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString())).resume();
    await once(socket, 'end');
    expect(heard).toBe('all of it');
    expect(await writing).toMatchObject({ message: 'this end was destroyed' });
  });
});

describe('over a stream of a session', () => {
  async function overStreams(): Promise<{ socket: AwaitedSocket; far: Duplex; events: string[] }> {
    const { a, b } = sessionPair();
    const socket = new AwaitedSocket(a.open(), new AbortController());
    const [far] = await Promise.all([b.accept(), once(socket, 'connect')]);
    const events: string[] = [];
    far.on('data', (chunk: Buffer) => events.push(chunk.toString()));
    for (const event of ['end', 'error']) far.on(event, () => events.push(event));
    return { socket, far, events };
  }

  test.each([1, 2, 3])('destroy() after %i writes sends them all, as the stream does', async (writes) => {
    const { socket, events } = await overStreams();
    const outcomes: unknown[] = [];
    for (let at = 0; at < writes; at += 1) socket.write('last words', (error) => outcomes.push(error));
    socket.destroy();
    await settle();
    expect(events).toEqual(['last words'.repeat(writes), 'error']);
    expect(outcomes).toEqual(Array.from({ length: writes }, () => null));
  });

  test('destroy() after corked writes and one more sends them all', async () => {
    const { socket, events } = await overStreams();
    socket.cork();
    for (const text of ['one', 'two']) socket.write(text);
    socket.uncork();
    socket.write('three');
    socket.destroy();
    await settle();
    expect(events).toEqual(['onetwothree', 'error']);
  });

  test('destroy() after end() sends what was written and the end, and no reset', async () => {
    const { socket, events } = await overStreams();
    socket.write('last ');
    socket.write('words');
    socket.end();
    socket.destroy();
    await settle();
    expect(events).toEqual(['last words', 'end']);
  });

  test('destroy() after end() sends no end where it forgets something that was written', async () => {
    const { socket, events } = await overStreams();
    const outcomes: unknown[] = [];
    const large = 'x'.repeat(70_000);
    for (const text of [large, 'two', 'three']) {
      socket.write(text, (error) => outcomes.push((error as NodeJS.ErrnoException | null)?.code ?? 'done'));
    }
    socket.end();
    socket.destroy();
    await settle();
    expect([events.slice(0, -1).join('') === large, events.at(-1)]).toEqual([true, 'error']);
    expect(outcomes).toEqual(['done', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_DESTROYED']);
  });

  test("a write's memory is the writer's again when the transport has taken it, not when its stream is gone", async () => {
    const [left, right] = duplexPair();
    const clock = new ManualClock();
    const [a, b] = [client(left, { keepAliveInterval: 0, clock }), server(right, { keepAliveInterval: 0 })];
    const socket = new AwaitedSocket(a.open(), new AbortController());
    const [far] = await Promise.all([b.accept(), once(socket, 'connect')]);
    socket.on('error', () => {});
    far.on('error', () => {});
    const heard: Buffer[] = [];
    far.on('data', (chunk: Buffer) => heard.push(Buffer.from(chunk)));
    await settle();
    left.stall();
    const chunk = Buffer.alloc(70_000, 1);
    const outcomes: unknown[] = [];
    socket.write(chunk, (error) => {
      outcomes.push(error);
      chunk.fill(0xff);
    });
    socket.write('behind it', (error) => outcomes.push(error));
    await settle();
    const closing = a.close({ timeout: 0 });
    clock.advance(0);
    await settle();
    expect([socket.destroyed, outcomes.length]).toEqual([true, 0]);
    left.flow();
    await closing;
    await settle();
    expect(outcomes).toEqual([
      expect.objectContaining({ code: 'ERR_YAMUX_SESSION_CLOSED' }),
      expect.objectContaining({ code: 'ERR_YAMUX_SESSION_CLOSED' }),
    ]);
    expect(Buffer.concat(heard).every((byte) => byte === 1)).toBe(true);
  });

  test('what was written when the peer ends goes out before the end, also where streams end by themselves', async () => {
    const { a, b } = sessionPair({ allowHalfOpen: false });
    const socket = new AwaitedSocket(a.open(), new AbortController());
    const [far] = await Promise.all([b.accept(), once(socket, 'connect')]);
    far.allowHalfOpen = true;
    for (let writes = 0; writes < 3; writes += 1) socket.write(Buffer.alloc(200_000));
    far.end();
    socket.resume();
    await settle();
    expect(await allOf(far)).toHaveLength(600_000);
    expect(socket.errored).toBe(null);
  });

  test('resetAndDestroy() resets, also behind end()', async () => {
    const { socket, far, events } = await overStreams();
    socket.end('all');
    await settle();
    expect(events).toEqual(['all', 'end']);
    socket.resetAndDestroy();
    await settle();
    expect(events).toEqual(['all', 'end', 'error']);
    expect(far.errored).toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET' });
  });
});

test("what a listener of 'connect' throws is an uncaught exception, not a rejection", async () => {
  const { socket, give } = awaited();
  const listeners = process.rawListeners('uncaughtException') as NodeJS.UncaughtExceptionListener[];
  process.removeAllListeners('uncaughtException');
  const uncaught = once(process, 'uncaughtException');
  socket.on('connect', () => {
    throw new Error('of a listener');
  });
  give(duplexPair()[0]);
  expect(((await uncaught) as [Error])[0].message).toBe('of a listener');
  for (const listener of listeners) process.on('uncaughtException', listener);
});

test("addresses and figures are the stream's", async () => {
  const { socket, give } = awaited();
  expect([socket.remoteAddress, socket.bytesRead, socket.bytesWritten]).toEqual([undefined, 0, 0]);
  const stream = Object.assign(duplexPair()[0], { remoteAddress: '192.0.2.1', localPort: 5000, bytesRead: 3 });
  give(stream);
  await once(socket, 'connect');
  expect([socket.remoteAddress, socket.localPort, socket.bytesRead]).toEqual(['192.0.2.1', 5000, 3]);
});
