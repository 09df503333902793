import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { streamOverFake } from './support/fake-socket.ts';
import { observe, settled } from './support/observe.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('reading', () => {
  it.each([
    ['a Buffer', Buffer.from('abc')],
    ['a Uint8Array', new Uint8Array([97, 98, 99])],
    ['an ArrayBuffer', new Uint8Array([97, 98, 99]).buffer],
    ['pieces', [Buffer.from('a'), new Uint8Array([98]), Buffer.alloc(0), Buffer.from('c')]],
  ])('takes %s', async (_name, data) => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream);
    socket.receive(data);
    await settled();
    expect(observed.bytes().toString()).toBe('abc');
  });

  it('passes received bytes on without a copy', async () => {
    const { socket, stream } = streamOverFake();
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const buffer = Buffer.from('abc');
    const view = new Uint8Array(new ArrayBuffer(8), 2, 3);
    await settled();
    socket.receive(buffer);
    socket.receive(view);
    expect(chunks[0]).toBe(buffer);
    expect([chunks[1]?.buffer, chunks[1]?.byteOffset, chunks[1]?.length]).toEqual([view.buffer, 2, 3]);
    const memory = new ArrayBuffer(4);
    socket.receive(memory);
    expect(chunks[2]?.buffer).toBe(memory);
  });

  it('ignores empty messages', async () => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream);
    socket.receive('');
    socket.receive([]);
    socket.receive('a');
    await settled();
    expect([observed.bytes().toString(), observed.events]).toEqual(['a', []]);
  });

  it('takes 1,024 empty messages in a row, and again after a byte, and refuses one more with 1008', async () => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream);
    const empty = (times: number): void => {
      for (let message = 0; message < times; message += 1) socket.receive('');
    };
    empty(1024);
    socket.receive('a');
    empty(1024);
    await settled();
    expect([observed.bytes().toString(), observed.events]).toEqual(['a', []]);
    empty(1);
    await settled();
    expect(observed.events).toEqual(['error', 'close']);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_EMPTY_MESSAGES', closeCode: 1008 });
    expect(socket.ends).toEqual(['close 1008 too many empty messages']);
  });

  it('refuses a text message with 1003 and an error', async () => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream);
    socket.listener.onText();
    await settled();
    expect(observed.events).toEqual(['error', 'close']);
    expect(observed.error).toMatchObject({
      code: 'ERR_YAMUX_WEBSOCKET_TEXT_MESSAGE',
      scope: 'session',
      origin: 'remote',
      closeCode: 1003,
    });
    expect(socket.ends).toEqual(['close 1003 binary messages only']);
  });

  it('refuses a message above maxInboundMessageBytes, in one piece or in several, with 1009 and an error', async () => {
    for (const data of [Buffer.alloc(101), [Buffer.alloc(100), Buffer.alloc(1)]]) {
      const { socket, stream } = streamOverFake({ maxInboundMessageBytes: 100 });
      const observed = observe(stream);
      socket.receive(Buffer.alloc(100));
      await settled();
      socket.receive(data);
      await settled();
      expect(observed.bytes().length).toBe(100);
      expect(observed.error?.message).toBe(
        'The peer sent a message of 101 bytes; the limit is 100 (maxInboundMessageBytes)',
      );
      expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_MESSAGE_TOO_LARGE', closeCode: 1009 });
      expect(socket.ends).toEqual(['close 1009 message too big']);
    }
  });

  it('drops messages that come after destroy()', async () => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream);
    stream.destroy();
    socket.receive('late');
    socket.listener.onText();
    socket.closed(1000);
    await settled();
    expect([observed.bytes().length, observed.events]).toEqual([0, ['close']]);
  });

  it('drops the remaining pieces of a message when the reader destroys the stream', async () => {
    const { socket, stream } = streamOverFake();
    const chunks: string[] = [];
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk.toString());
      stream.destroy();
    });
    await settled();
    socket.receive([Buffer.from('a'), Buffer.from('b')]);
    await settled();
    expect(chunks).toEqual(['a']);
  });

  it('pauses the socket above readPauseBytes unread bytes, and resumes it when somebody reads', () => {
    const { socket, stream } = streamOverFake({ readPauseBytes: 200_000 });
    socket.receive(Buffer.alloc(200_000));
    expect(socket.paused).toBe(false);
    socket.receive(Buffer.alloc(1));
    expect(socket.paused).toBe(true);
    stream.read();
    expect(socket.paused).toBe(false);
  });

  it('never pauses the socket with readPauseBytes Infinity', () => {
    const { socket } = streamOverFake({ readPauseBytes: Number.POSITIVE_INFINITY });
    for (let i = 0; i < 100; i++) socket.receive(Buffer.alloc(1024 * 1024));
    expect(socket.paused).toBe(false);
  });
});

describe('writing', () => {
  it('sends the writes of one tick as one message', async () => {
    const { socket, stream } = streamOverFake();
    stream.write('a');
    stream.write('b');
    process.nextTick(() => stream.write('c'));
    await settled();
    expect(socket.sent).toEqual(['ab']);
    socket.taken();
    await settled();
    expect(socket.sent).toEqual(['ab', 'c']);
  });

  it('lets a caller that corks the stream form the batch', () => {
    const { socket, stream } = streamOverFake();
    stream.cork();
    stream.write('a');
    stream.write('b');
    stream.uncork();
    expect(socket.sent).toEqual(['ab']);
  });

  it('calls back when the message was sent', async () => {
    const { socket, stream } = streamOverFake();
    const callback = vi.fn();
    stream.write('a', callback);
    await settled();
    expect(callback).not.toHaveBeenCalled();
    socket.taken();
    await settled();
    expect(callback.mock.calls).toEqual([[null]]);
  });

  it('waits for a socket that is still connecting, and so does end()', async () => {
    const { socket, stream } = streamOverFake({}, 'connecting');
    const observed = observe(stream);
    stream.end('a');
    await settled();
    expect([socket.sent, socket.ends]).toEqual([[], []]);
    socket.open();
    socket.taken();
    await settled();
    expect([socket.sent, socket.ends, observed.events]).toEqual([['a'], ['close 1000'], ['finish']]);
  });

  it('ends without an error when the socket opens late and there is nothing to send', async () => {
    const { socket, stream } = streamOverFake({}, 'connecting');
    stream.end();
    await settled();
    expect(socket.ends).toEqual([]);
    socket.open();
    await settled();
    expect(socket.ends).toEqual(['close 1000']);
  });

  it('terminates a socket that sends nothing for writeTimeout, with an error for the stream and the write', async () => {
    const { socket, stream } = streamOverFake({ writeTimeout: 1000 });
    const observed = observe(stream);
    const callback = vi.fn();
    stream.write('a', callback);
    await settled();
    vi.advanceTimersByTime(1000);
    await settled();
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_WRITE_TIMEOUT', origin: 'local' });
    expect(callback.mock.calls).toEqual([[observed.error]]);
    expect(socket.ends).toEqual(['terminate']);
  });

  it('terminates when more than maxBufferedBytes wait, in the stream or in the socket', async () => {
    const full = streamOverFake({ maxBufferedBytes: 100 });
    const first = observe(full.stream);
    full.stream.write(Buffer.alloc(100));
    expect(full.stream.destroyed).toBe(false);
    full.stream.write(Buffer.alloc(1));
    const behind = streamOverFake({ maxBufferedBytes: 100 });
    const second = observe(behind.stream);
    behind.socket.bufferedAmount = 101;
    behind.stream.write('a');
    await settled();
    for (const { error } of [first, second]) expect(error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_BUFFER_FULL' });
    expect([full.socket.ends, behind.socket.ends]).toEqual([['terminate'], ['terminate']]);
  });

  it('fails once, with the cause of destroy(), even if the socket calls back later', async () => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream);
    const callback = vi.fn();
    stream.write('a', callback);
    await settled();
    const cause = new Error('enough');
    stream.destroy(cause);
    socket.taken();
    socket.closed(1006);
    await settled();
    expect(callback.mock.calls).toEqual([[cause]]);
    expect([observed.events, observed.error]).toEqual([['error', 'close'], cause]);
  });
});

describe('the carrier', () => {
  it('gives the stream its addresses, ref() and unref()', () => {
    const carrier = {
      remoteAddress: '10.0.0.1',
      remotePort: 1,
      remoteFamily: 'IPv4',
      localAddress: '10.0.0.2',
      localPort: 2,
      localFamily: 'IPv4',
      ref: vi.fn(),
      unref: vi.fn(),
    };
    const { ref, unref, ...addresses } = carrier;
    const { stream } = streamOverFake({ carrier });
    expect(stream).toMatchObject(addresses);
    stream.unref().ref();
    expect([ref.mock.calls.length, unref.mock.calls.length]).toEqual([1, 1]);
  });

  it('may be missing', () => {
    const { stream } = streamOverFake();
    expect(stream.ref().unref().remoteAddress).toBeUndefined();
  });
});
