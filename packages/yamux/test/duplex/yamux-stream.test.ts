// How a stream ends, and what it tells whom in which order; reading and writing have files of their own.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { settle } from '../support/duplex-pair.ts';
import { ack, data, rst } from '../support/frames.ts';
import { facingPeer } from '../support/pairs.ts';
import { StreamScene } from '../support/stream-scene.ts';
import { HALF_CLOSE_TIMEOUT } from '../support/wire-scene.ts';

async function turns(count = 4): Promise<void> {
  for (let one = 0; one < count; one += 1) await turn();
}

describe('the end of a stream', () => {
  test("is 'end', 'finish' and 'close' when both sides have ended, and no RST", async () => {
    const scene = new StreamScene();
    scene.receive(10);
    scene.wire.receiveFin();
    scene.stream.resume().end('bye');
    await turn();
    expect(scene.giveTurns()).toEqual(['DATA bye', 'FIN']);
    await turns();
    expect(scene.events).toEqual(['end', 'finish', 'close']);
    expect(scene.said).not.toContain('RST 0');
    expect([scene.stream.bytesRead, scene.stream.bytesWritten]).toEqual([10, 3]);
  });

  test("by the peer's RST is 'error' and 'close', never 'end'; what was unread is gone", async () => {
    const scene = new StreamScene();
    scene.receive(100_000);
    scene.receive(10);
    scene.wire.receiveReset(7);
    await turns();
    expect(scene.events).toEqual(['error ERR_YAMUX_STREAM_RESET', 'close']);
    expect(scene.stream.errored).toMatchObject({ errorCode: 7 });
    expect(scene.wire.unreadBytes).toBe(0);
  });

  test('by the end of its session is that error at once', async () => {
    const scene = new StreamScene();
    scene.wire.sessionEnded(new Error('over'));
    expect(scene.stream.destroyed).toBe(true);
    await turns();
    expect(scene.events).toEqual(['error over', 'close']);
  });

  test("after the peer's FIN, read to its end, is an error on an RST while our side is open", async () => {
    const scene = new StreamScene();
    scene.wire.receiveFin();
    await turns();
    scene.wire.receiveReset(0);
    await turns();
    expect(scene.events).toEqual(['end', 'error ERR_YAMUX_STREAM_RESET', 'close']);
  });

  test('is the cause after all when a write waits behind what is whole, and nobody reads that for halfCloseTimeout', async () => {
    const scene = new StreamScene();
    scene.receive(10);
    scene.wire.receiveFin();
    scene.wire.sessionEnded(new Error('over'));
    await turns();
    scene.clock.advance(HALF_CLOSE_TIMEOUT);
    await turns();
    expect(scene.events).toEqual([]);
    scene.stream.write('too late');
    scene.clock.advance(HALF_CLOSE_TIMEOUT);
    await turns();
    expect(scene.events).toEqual(['error over', 'close']);
  });

  test('comes once: later causes are not told', async () => {
    const scene = new StreamScene();
    scene.stream.destroy(new Error('first'));
    scene.wire.receiveReset(0);
    scene.wire.sessionEnded(new Error('later'));
    scene.stream.destroy(new Error('last'));
    await turns();
    expect(scene.events).toEqual(['error first', 'close']);
  });
});

describe('reset()', () => {
  test('tells the peer its code, and the application no error', async () => {
    const scene = new StreamScene();
    scene.stream.reset(7);
    await turns();
    expect(scene.said).toContain('RST 7');
    expect(scene.events).toEqual(['close']);
  });

  test('without a code, resetAndDestroy() and destroy() say 0', () => {
    for (const end of ['reset', 'resetAndDestroy', 'destroy'] as const) {
      const scene = new StreamScene();
      scene.stream[end]();
      expect(scene.said, end).toContain('RST 0');
    }
  });

  test('of a stream that is over says nothing', async () => {
    const scene = new StreamScene();
    scene.wire.receiveReset(0);
    await turns();
    scene.stream.reset(7);
    expect(scene.said).not.toContain('RST 7');
  });

  test('after end() resets all the same: it was asked for by name', () => {
    const scene = new StreamScene();
    scene.stream.end('bye');
    scene.stream.reset(7);
    expect(scene.giveTurns()).toEqual(['DATA bye', 'RST']);
    expect(scene.said).toContain('RST 7');
  });

  test.each([-1, 0.5, 4_294_967_296, Number.NaN, '7'])('of %o throws RangeError, and the stream lives', (code) => {
    const scene = new StreamScene();
    expect(() => scene.stream.reset(code as number)).toThrow(
      new RangeError(`Expected errorCode to be an integer from 0 to 4294967295, got ${code}`),
    );
    expect(scene.stream.destroyed).toBe(false);
  });
});

describe('destroy()', () => {
  test('with an error resets, also after end()', () => {
    const scene = new StreamScene();
    scene.stream.end();
    scene.stream.destroy(new Error('why'));
    expect(scene.giveTurns()).toEqual([]);
    expect(scene.said).toContain('RST 0');
  });

  test('after end() sends the FIN and no RST, credits what is unread, and tells nothing more', async () => {
    const scene = new StreamScene();
    scene.receive(5000);
    scene.receive(5000);
    scene.stream.end();
    scene.stream.destroy();
    expect(scene.giveTurns()).toEqual(['FIN']);
    scene.wire.receiveFin();
    await turns();
    expect(scene.granted).toBe(10_000);
    expect(scene.said).not.toContain('RST 0');
    expect(scene.events).toEqual(['close']);
  });

  test('when both sides have ended says nothing', async () => {
    const scene = new StreamScene();
    scene.receive(10);
    scene.wire.receiveFin();
    scene.stream.end();
    scene.giveTurns();
    scene.said.length = 0;
    scene.stream.destroy();
    await turns();
    expect(scene.said.filter((one) => one !== 'handed over')).toEqual(['released']);
    expect(scene.events.at(-1)).toBe('close');
  });
});

describe('while events are held', () => {
  test("no 'error' and no 'close' comes out, and then both do", async () => {
    const scene = new StreamScene();
    scene.stream.holdEvents();
    scene.wire.sessionEnded(new Error('over'));
    await turns();
    expect(scene.events).toEqual([]);
    expect([scene.stream.destroyed, scene.stream.errored?.message]).toEqual([true, 'over']);
    scene.stream.releaseEvents();
    await turns();
    expect(scene.events).toEqual(['error over', 'close']);
  });

  test('what arrives waits, and is told when they are released', async () => {
    const scene = new StreamScene();
    scene.stream.holdEvents();
    scene.receive(5);
    scene.wire.receiveFin();
    await turns();
    expect([scene.stream.readableLength, scene.wire.unreadBytes]).toEqual([0, 5]);
    const taken: number[] = [];
    scene.stream.on('readable', () => {
      for (let chunk = scene.stream.read(); chunk !== null; chunk = scene.stream.read()) taken.push(chunk.length);
    });
    scene.stream.releaseEvents();
    await turns();
    expect(taken).toEqual([5]);
    expect(scene.events).toEqual(['end']);
  });
});

describe("'acknowledged'", () => {
  test('tells when the peer has answered', () => {
    const scene = new StreamScene();
    let told = 0;
    scene.stream.on('acknowledged', () => {
      told += 1;
    });
    expect(scene.stream.acknowledged).toBe(false);
    scene.wire.acknowledge();
    expect([scene.stream.acknowledged, told]).toEqual([true, 1]);
  });
});

describe('setTimeout()', () => {
  test('starts anew with payload in either direction', () => {
    const scene = new StreamScene();
    let timeouts = 0;
    scene.stream.setTimeout(100, () => {
      timeouts += 1;
    });
    scene.clock.advance(99);
    scene.receive(1);
    scene.clock.advance(99);
    scene.stream.write('x');
    scene.giveTurns();
    scene.clock.advance(99);
    expect(timeouts).toBe(0);
    scene.clock.advance(1);
    expect(timeouts).toBe(1);
  });

  test('leaves no timer behind destroy()', () => {
    const scene = new StreamScene();
    scene.stream.setTimeout(100);
    scene.stream.destroy();
    expect(scene.clock.pending).toBe(0);
  });
});

test('what a listener throws is an uncaught exception of its own: the caller goes on, and so does the stream', async () => {
  const scene = new StreamScene();
  const errors = [new Error("from 'data'"), new Error("from 'acknowledged'")];
  scene.stream.on('data', () => {
    throw errors[0];
  });
  scene.stream.on('acknowledged', () => {
    throw errors[1];
  });
  await turn();
  const uncaught: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (thrown) => uncaught.push(thrown));
  try {
    scene.receive(5);
    scene.wire.acknowledge();
    await turns();
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  }
  expect(uncaught).toEqual(errors);
  expect(scene.stream.destroyed).toBe(false);
});

describe('the store of an AsyncLocalStorage in which a stream was opened', () => {
  const storage = new AsyncLocalStorage<string>();

  test('is there in all of its events, and in the callbacks of its writes', async () => {
    const { session, peer } = facingPeer('client');
    const seen: Record<string, unknown> = {};
    const stream = await storage.run('opened here', () => session.open());
    for (const event of ['acknowledged', 'data', 'error', 'close']) {
      stream.on(event, () => {
        seen[event] = storage.getStore();
      });
    }
    storage.run('written elsewhere', () => stream.write(Buffer.alloc(8192)));
    peer.send(ack(1), data(1, 'hello'), rst(1));
    await settle();
    expect(seen).toEqual({
      acknowledged: 'opened here',
      data: 'opened here',
      error: 'opened here',
      close: 'opened here',
    });
  });

  test('is that of the open() also when it had to wait for a slot', async () => {
    const { session, peer } = facingPeer('client', { maxUnacknowledged: 1 });
    await session.open();
    const waiting = storage.run('opened here', () => session.open());
    await settle();
    peer.send(ack(1));
    const stream = await waiting;
    let seen: unknown;
    stream.on('data', () => {
      seen = storage.getStore();
    });
    peer.send(data(3, 'hello'));
    await settle();
    expect(seen).toBe('opened here');
  });
});
