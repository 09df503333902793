import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Heartbeat } from '../src/heartbeat.ts';
import { webSocketStream } from '../src/index.ts';
import { streamOverFake } from './support/fake-socket.ts';
import { observe, settled } from './support/observe.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Moves the clock by this many milliseconds, and runs the checks that are due. */
async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await settled();
}

function heartbeat(): { readonly told: string[]; readonly one: Heartbeat } {
  const told: string[] = [];
  const one = new Heartbeat(
    100,
    () => told.push('ping'),
    () => told.push('silence'),
  );
  one.start();
  return { told, one };
}

describe('Heartbeat', () => {
  it('pings when nothing came for an interval, and reports silence once when nothing came in the next', async () => {
    const { told } = heartbeat();
    await pass(99);
    expect(told).toEqual([]);
    await pass(1);
    expect(told).toEqual(['ping']);
    await pass(99);
    expect(told).toEqual(['ping']);
    await pass(1);
    expect(told).toEqual(['ping', 'silence']);
    await pass(1_000);
    expect(told).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not ping a peer that sends, and accepts anything as an answer', async () => {
    const { told, one } = heartbeat();
    for (let interval = 0; interval < 10; interval += 1) {
      one.heard();
      await pass(100);
    }
    expect(told).toEqual([]);
    await pass(100);
    one.heard();
    await pass(100);
    await pass(100);
    expect(told).toEqual(['ping', 'ping']);
  });

  it('counts an answer that was unread when other work delayed its timer', async () => {
    const { told, one } = heartbeat();
    await pass(100);
    vi.advanceTimersByTime(150); // and only then is the socket read
    one.heard();
    await settled();
    expect(told).toEqual(['ping']);
  });

  it('does not blame a peer for the time that this process was suspended', async () => {
    const { told } = heartbeat();
    await pass(100);
    const wake = performance.now() + 5_000;
    vi.spyOn(performance, 'now').mockReturnValue(wake);
    await pass(100);
    vi.restoreAllMocks();
    expect(told).toEqual(['ping']);
    await pass(100);
    await pass(100);
    expect(told).toEqual(['ping', 'ping', 'silence']);
  });

  it('does nothing after it is stopped, also between its timer and its check', async () => {
    const { told, one } = heartbeat();
    await pass(100);
    vi.advanceTimersByTime(100);
    one.stop();
    await settled();
    await pass(1_000);
    expect(told).toEqual(['ping']);
  });
});

describe('wsPing', () => {
  it('terminates a connection whose peer does not answer, with a typed error', async () => {
    const { socket, stream } = streamOverFake({ wsPing: 100 });
    const observed = observe(stream);
    await pass(100);
    expect(socket.pings).toBe(1);
    await pass(100);
    expect(socket.ends).toEqual(['terminate']);
    expect(observed.events).toEqual(['error', 'close']);
    expect(observed.error).toMatchObject({
      code: 'ERR_YAMUX_WEBSOCKET_PING_TIMEOUT',
      origin: 'remote',
      message: 'The peer did not answer a WebSocket ping within 100 ms (wsPing)',
    });
  });

  it.each([
    ['a pong', (socket: ReturnType<typeof streamOverFake>['socket']) => socket.listener.onLife?.()],
    ['a message', (socket: ReturnType<typeof streamOverFake>['socket']) => socket.receive('a')],
    ['an empty message', (socket: ReturnType<typeof streamOverFake>['socket']) => socket.receive('')],
  ])('takes %s for life', async (_what, live) => {
    const { socket, stream } = streamOverFake({ wsPing: 100 });
    stream.resume();
    for (let interval = 0; interval < 10; interval += 1) {
      await pass(100);
      live(socket);
    }
    expect([socket.ends, stream.destroyed]).toEqual([[], false]);
  });

  it('waits while the socket is connecting, and while it is not read', async () => {
    const { socket, stream } = streamOverFake({ wsPing: 100, readPauseBytes: 10 }, 'connecting');
    await pass(1_000);
    expect(socket.pings).toBe(0);
    socket.open();
    socket.receive(Buffer.alloc(11));
    expect(socket.paused).toBe(true);
    await pass(1_000);
    expect([socket.pings, socket.ends]).toEqual([0, []]);
    stream.resume();
    await settled();
    await pass(100);
    expect(socket.pings).toBe(1);
  });

  it('sends no pings by default, and leaves no timer behind', async () => {
    const { socket } = streamOverFake();
    await pass(1_000_000);
    expect(socket.pings).toBe(0);
    const { stream } = streamOverFake({ wsPing: 100 });
    stream.destroy();
    await settled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is refused for a socket that cannot ping', () => {
    const { socket } = streamOverFake();
    Object.defineProperty(socket, 'ping', { value: undefined });
    expect(() => webSocketStream(socket, { wsPing: 100 })).toThrow('Expected a socket with ping() for wsPing');
  });
});
