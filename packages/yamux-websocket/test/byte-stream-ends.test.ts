import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { streamOverFake } from './support/fake-socket.ts';
import { observe, settled } from './support/observe.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a close that this end starts', () => {
  it('sends the close frame after the last write, and closes when the peer has answered it', async () => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream);
    stream.end('bye');
    await settled();
    expect(socket.ends).toEqual([]);
    socket.taken();
    await settled();
    expect(socket.ends).toEqual(['close 1000']);
    socket.receive('last words');
    socket.closed(1000);
    await settled();
    expect([observed.bytes().toString(), observed.events]).toEqual(['last words', ['finish', 'end', 'close']]);
    expect(await stream.socketClosed).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('terminates a peer that does not answer the close frame within closeTimeout, with an error', async () => {
    const { socket, stream } = streamOverFake({ closeTimeout: 1000 });
    const observed = observe(stream);
    stream.end();
    await settled();
    vi.advanceTimersByTime(1000);
    expect(socket.ends).toEqual(['close 1000', 'terminate']);
    socket.closed(1006);
    await settled();
    expect(observed.events).toEqual(['finish', 'error', 'close']);
    expect(await stream.socketClosed).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
  });

  it('uses the closeTimeout at the time of its end: a session may have raised it', async () => {
    const { socket, stream } = streamOverFake({ closeTimeout: 1000 });
    observe(stream);
    stream.closeTimeout = 7000;
    stream.end();
    await settled();
    vi.advanceTimersByTime(6999);
    expect(socket.ends).toEqual(['close 1000']);
    vi.advanceTimersByTime(1);
    expect(socket.ends).toEqual(['close 1000', 'terminate']);
  });

  it('terminates on destroy(), without a clean end', async () => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream);
    stream.destroy();
    socket.closed(1006);
    await settled();
    expect([observed.events, socket.ends]).toEqual([['close'], ['terminate']]);
    expect(await stream.socketClosed).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
  });

  it('gives a refused peer closeTimeout to receive the close frame', async () => {
    const { socket, stream } = streamOverFake({ closeTimeout: 1000 });
    observe(stream);
    socket.listener.onText();
    vi.advanceTimersByTime(999);
    expect(socket.ends).toEqual(['close 1003 binary messages only']);
    vi.advanceTimersByTime(1);
    expect(socket.ends).toEqual(['close 1003 binary messages only', 'terminate']);
  });
});

describe('a close that the peer starts', () => {
  it.each([1000, 1001, 1005, 1012])('with %i delivers everything, then ends and closes', async (code) => {
    const { socket, stream } = streamOverFake();
    socket.receive('all of it');
    socket.closed(code, 'why');
    const observed = observe(stream);
    await settled();
    expect([observed.bytes().toString(), observed.events]).toEqual(['all of it', ['end', 'finish', 'close']]);
    expect(await stream.socketClosed).toEqual({ code, reason: 'why', wasClean: true, initiator: 'remote' });
    expect(socket.ends).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([1002, 1003, 1007, 1008, 1009, 1010, 1011, 1013, 1014, 4401, 4403, 4409])(
    'with %i is an error that has the code and the reason',
    async (code) => {
      const { socket, stream } = streamOverFake();
      const observed = observe(stream);
      socket.closed(code, 'why');
      await settled();
      expect(observed.events).toEqual(['error', 'close']);
      expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_CLOSED', closeCode: code, reason: 'why' });
      expect(await stream.socketClosed).toMatchObject({ code, wasClean: true, initiator: 'remote' });
    },
  );

  it('without a close frame is an error', async () => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream);
    socket.closed(1006);
    await settled();
    expect(observed.events).toEqual(['error', 'close']);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_LOST', closeCode: 1006, origin: 'remote' });
  });

  it('fails an unsent write, but only after all received bytes have been read', async () => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream, false);
    const callback = vi.fn();
    stream.write('lost', callback);
    await settled();
    socket.receive('answer');
    socket.failed(new Error('not open'));
    socket.closed(1000);
    await settled();
    expect(observed.events).toEqual([]);
    expect(stream.read().toString()).toBe('answer');
    stream.read();
    await settled();
    expect(observed.events).toEqual(['end', 'error', 'close']);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_CLOSED', closeCode: 1000 });
    expect(callback.mock.calls).toEqual([[observed.error]]);
  });

  it('fails when the socket reports an error, and gives it time for its own close frame', async () => {
    const { socket, stream } = streamOverFake({ closeTimeout: 1000 });
    const observed = observe(stream);
    socket.state = 'closing';
    const cause = new Error('malformed frame');
    socket.listener.onError(cause);
    await settled();
    expect([observed.events, observed.error, socket.ends]).toEqual([['error', 'close'], cause, []]);
    vi.advanceTimersByTime(1000);
    expect(socket.ends).toEqual(['terminate']);
  });
});

describe('a socket that reports an error and is still open', () => {
  it('is closed with 1011, without details for the peer', async () => {
    const { socket, stream } = streamOverFake();
    const observed = observe(stream);
    const cause = new Error('a secret path');
    socket.listener.onError(cause);
    await settled();
    expect([observed.events, observed.error, socket.ends]).toEqual([
      ['error', 'close'],
      cause,
      ['close 1011 internal error'],
    ]);
    socket.closed(1011);
    expect(await stream.socketClosed).toMatchObject({ code: 1011, initiator: 'local' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a socket that is closing or closed', () => {
  it('fails the stream at once when it is closed', async () => {
    const { socket, stream } = streamOverFake({}, 'closed');
    const observed = observe(stream);
    stream.write('a');
    await settled();
    expect(observed.events).toEqual(['error', 'close']);
    expect(observed.error).toMatchObject({ code: 'ERR_YAMUX_WEBSOCKET_CLOSED' });
    expect(await stream.socketClosed).toMatchObject({ wasClean: false });
    expect(socket.ends).toEqual([]);
  });

  it('fails the stream at once when it is closing, and reports the close', async () => {
    const { socket, stream } = streamOverFake({}, 'closing');
    const observed = observe(stream);
    await settled();
    expect([observed.events, socket.ends]).toEqual([['error', 'close'], []]);
    socket.closed(1011, 'x');
    expect(await stream.socketClosed).toEqual({ code: 1011, reason: 'x', wasClean: true, initiator: 'remote' });
    expect(vi.getTimerCount()).toBe(0);
  });
});
