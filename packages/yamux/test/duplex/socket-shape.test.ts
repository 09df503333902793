import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SocketShape } from '../../src/duplex/socket-shape.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** The shape alone: what is written is taken at once, unless it is held, and `moved()` says that a byte moved. */
class Shaped extends SocketShape {
  isConnecting = false;
  /** What is written waits for takeWrite(). */
  isHeld = false;
  #callback: (() => void) | undefined;

  constructor(clock: ManualClock, transport: object = {}, allowHalfOpen = true) {
    super({ clock, transport }, allowHalfOpen);
  }

  override get connecting(): boolean {
    return this.isConnecting;
  }

  override resetAndDestroy(): this {
    return this.destroy();
  }

  moved(): void {
    this.touchIdle();
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    if (this.isHeld) this.#callback = callback;
    else callback();
  }

  takeWrite(): void {
    this.#callback?.();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.stopIdle();
    this.tellDestroyed(error, callback);
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
    expect(socket.timeout).toBe(undefined);
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
      new RangeError(`Expected ms to be a finite number of milliseconds of at least 0, got ${ms}`),
    );
    expect(socket.timeout).toBe(500);
    expect(clock.pending).toBe(1);
  });

  test('of no number, or with a callback that is no function, throws TypeError, and the one before stays', () => {
    const { socket, clock } = shaped();
    socket.setTimeout(500);
    expect(() => socket.setTimeout('500' as unknown as number)).toThrow(
      new TypeError('Expected ms to be a number of milliseconds, got string'),
    );
    expect(() => socket.setTimeout(1000, 'callback' as unknown as () => void)).toThrow(
      new TypeError('Expected callback to be a function, got string'),
    );
    expect(socket.timeout).toBe(500);
    expect(clock.pending).toBe(1);
  });

  test("longer than Node's timers take is cut to what they do, with a warning, as on a socket", async () => {
    const { socket, clock, timeouts } = shaped();
    const warnings: Error[] = [];
    const listener = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listener);
    try {
      socket.setTimeout(2_147_483_648);
      await turn();
    } finally {
      process.off('warning', listener);
    }
    expect(warnings.map(({ name, message }) => [name, message])).toEqual([
      ['TimeoutOverflowWarning', '2147483648 ms do not fit into a timer: cut to 2147483647'],
    ]);
    clock.advance(2_147_483_646);
    expect(timeouts).toEqual([]);
    clock.advance(1);
    expect(timeouts).toEqual([2_147_483_647]);
  });
});

describe('readyState and pending', () => {
  test('tell a stream that is still to be opened', () => {
    const { socket } = shaped();
    socket.isConnecting = true;
    expect([socket.readyState, socket.pending]).toEqual(['opening', true]);
    socket.isConnecting = false;
    expect([socket.readyState, socket.pending]).toEqual(['open', false]);
  });

  test('tell which sides are open', async () => {
    const [written, read, both] = [shaped().socket, shaped().socket, shaped().socket];
    written.end();
    expect(written.readyState).toBe('readOnly');
    read.push(null);
    read.resume();
    await turn();
    expect(read.readyState).toBe('writeOnly');
    both.destroy();
    expect([both.readyState, both.pending]).toEqual(['closed', true]);
  });
});

describe("'close'", () => {
  test.each([
    ['without an error', undefined, false],
    ['by an error', new Error('enough'), true],
  ])('%s says so, once', async (_how, error, hadError) => {
    const { socket } = shaped();
    const heard: unknown[][] = [];
    socket.on('error', () => {}).on('close', (...what: unknown[]) => heard.push(what));
    socket.destroy(error);
    socket.destroy();
    await turn();
    await turn();
    expect(heard).toEqual([[hadError]]);
  });

  test('comes behind the callbacks of what was not written, and the error', async () => {
    const { socket } = shaped();
    const order: string[] = [];
    socket.on('close', () => order.push('close')).on('error', () => order.push('error'));
    socket.cork();
    socket.write('not written', () => order.push('callback'));
    socket.destroy(new Error('enough'));
    await turn();
    expect(order).toEqual(['callback', 'error', 'close']);
  });
});

describe('destroySoon()', () => {
  test('ends what is still writable, and destroys when that is out', async () => {
    const { socket } = shaped();
    socket.isHeld = true;
    socket.write('last words');
    socket.destroySoon();
    await turn();
    expect(socket.writableEnded).toBe(true);
    expect(socket.destroyed).toBe(false);
    socket.takeWrite();
    await turn();
    expect(socket.writableFinished).toBe(true);
    expect(socket.destroyed).toBe(true);
  });

  test('after end() waits for what was ended', async () => {
    const { socket } = shaped();
    socket.isHeld = true;
    socket.end('last words');
    socket.destroySoon();
    await turn();
    expect(socket.destroyed).toBe(false);
    socket.takeWrite();
    await turn();
    expect(socket.destroyed).toBe(true);
  });

  test('of a stream that has finished destroys at once', async () => {
    const { socket } = shaped();
    socket.end();
    await turn();
    socket.destroySoon();
    expect(socket.destroyed).toBe(true);
  });
});

test("address() is the transport's local end, or empty", () => {
  const transport = { localAddress: '192.0.2.2', localPort: 5000, localFamily: 'IPv4' };
  expect(shaped(transport).socket.address()).toEqual({ address: '192.0.2.2', family: 'IPv4', port: 5000 });
  expect(shaped().socket.address()).toEqual({});
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

test('without allowHalfOpen it ends itself when its input has ended, as a socket does by default', async () => {
  const socket = new Shaped(new ManualClock(), {}, false);
  socket.resume().push(null);
  await turn();
  expect(socket.writableEnded).toBe(true);
});
