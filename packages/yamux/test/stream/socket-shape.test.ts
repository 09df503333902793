import { describe, expect, test } from 'vitest';
import { SocketShape } from '../../src/stream/socket-shape.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** The shape alone: what is written is taken at once, and `moved()` says that a byte moved. */
class Shaped extends SocketShape {
  constructor(clock: ManualClock, transport: object = {}) {
    super(clock, transport);
  }

  moved(): void {
    this.touchIdle();
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.stopIdle();
    callback(error);
  }
}

function shaped(transport?: object): { socket: Shaped; clock: ManualClock; timeouts: number[] } {
  const clock = new ManualClock();
  const socket = new Shaped(clock, transport);
  const timeouts: number[] = [];
  const start = clock.now();
  socket.on('timeout', () => timeouts.push(clock.now() - start));
  return { socket, clock, timeouts };
}

describe('setTimeout()', () => {
  test("emits 'timeout' after so long without a byte, and the stream lives on", () => {
    const { socket, clock, timeouts } = shaped();
    expect(socket.setTimeout(500)).toBe(socket);
    expect(socket.timeout).toBe(500);
    clock.advance(499);
    expect(timeouts).toEqual([]);
    clock.advance(1);
    expect(timeouts).toEqual([500]);
    expect(socket.destroyed).toBe(false);
  });

  test('starts anew with every byte, and after it has fired with the next one', () => {
    const { socket, clock, timeouts } = shaped();
    socket.setTimeout(500);
    clock.advance(400);
    socket.moved();
    clock.advance(499);
    expect(timeouts).toEqual([]);
    clock.advance(1000);
    expect(timeouts).toEqual([900]);
    socket.moved();
    clock.advance(500);
    expect(timeouts).toEqual([900, 2399]);
  });

  test('without one, a byte arms nothing', () => {
    const { socket, clock } = shaped();
    expect(socket.timeout).toBe(0);
    socket.moved();
    expect(clock.pending).toBe(0);
  });

  test('a later one takes the place of the first', () => {
    const { socket, clock, timeouts } = shaped();
    socket.setTimeout(500);
    socket.setTimeout(2000);
    clock.advance(1999);
    expect(timeouts).toEqual([]);
    clock.advance(1);
    expect(timeouts).toEqual([2000]);
    expect(clock.pending).toBe(0);
  });

  test('of 0 turns it off and leaves no timer', () => {
    const { socket, clock, timeouts } = shaped();
    socket.setTimeout(500);
    socket.setTimeout(0);
    expect(socket.timeout).toBe(0);
    expect(clock.pending).toBe(0);
    socket.moved();
    clock.advance(5000);
    expect(timeouts).toEqual([]);
  });

  test('adds its callback as a listener for once; 0 with the same callback takes it off', () => {
    const { socket, clock } = shaped();
    let calls = 0;
    const callback = (): void => {
      calls += 1;
    };
    socket.setTimeout(500, callback);
    clock.advance(500);
    socket.moved();
    clock.advance(500);
    expect(calls).toBe(1);
    socket.setTimeout(500, callback);
    socket.setTimeout(0, callback);
    expect(socket.listeners('timeout')).not.toContain(callback);
  });

  test('on a destroyed stream arms nothing', () => {
    const { socket, clock } = shaped();
    socket.setTimeout(500);
    socket.destroy();
    expect(clock.pending).toBe(0);
    socket.setTimeout(500);
    expect(clock.pending).toBe(0);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('of %s throws RangeError, and the one before stays', (ms) => {
    const { socket, clock } = shaped();
    socket.setTimeout(500);
    expect(() => socket.setTimeout(ms)).toThrow(
      new RangeError(`Expected ms to be a number of milliseconds from 0 to 2147483647, got ${ms}`),
    );
    expect(socket.timeout).toBe(500);
    expect(clock.pending).toBe(1);
  });

  test("longer than Node's timers take throws RangeError: such a timer would fire at once", () => {
    const { socket } = shaped();
    expect(() => socket.setTimeout(2_147_483_648)).toThrow(RangeError);
    socket.setTimeout(2_147_483_647);
    expect(socket.timeout).toBe(2_147_483_647);
  });
});

describe('destroySoon()', () => {
  test('ends what is still writable, then destroys', () => {
    const { socket } = shaped();
    socket.write('last words');
    socket.destroySoon();
    expect(socket.writableEnded).toBe(true);
    expect(socket.destroyed).toBe(true);
  });

  test('after end() only destroys', () => {
    const { socket } = shaped();
    socket.end();
    socket.destroySoon();
    expect(socket.destroyed).toBe(true);
  });
});

test('setNoDelay, setKeepAlive, ref and unref can be chained', () => {
  const { socket } = shaped();
  expect(socket.setNoDelay(true).setKeepAlive(true, 1000).ref().unref()).toBe(socket);
});

test("addresses are the transport's, as they are now", () => {
  const transport: Record<string, unknown> = {
    remoteAddress: '192.0.2.1',
    remotePort: 4000,
    remoteFamily: 'IPv4',
    localAddress: '192.0.2.2',
    localPort: 5000,
    localFamily: 'IPv6',
  };
  const { socket } = shaped(transport);
  for (const [name, value] of Object.entries(transport)) expect(socket[name as keyof Shaped], name).toBe(value);
  transport.remoteAddress = undefined;
  expect(socket.remoteAddress).toBeUndefined();
});

test('a transport without addresses gives none', () => {
  const { socket } = shaped();
  expect(socket.remoteAddress).toBeUndefined();
  expect(socket.localPort).toBeUndefined();
});

test('both sides buffer 64 KiB before they push back, and a half may stay open', () => {
  const { socket } = shaped();
  expect(socket.readableHighWaterMark).toBe(65_536);
  expect(socket.writableHighWaterMark).toBe(65_536);
  expect(socket.allowHalfOpen).toBe(true);
});
