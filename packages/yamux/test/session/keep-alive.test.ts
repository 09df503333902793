import { describe, expect, test } from 'vitest';
import { KeepAlive } from '../../src/session/keep-alive.ts';
import { resolveOptions, type SessionOptions } from '../../src/session/options.ts';
import { ManualClock } from '../support/manual-clock.ts';

class Scene {
  readonly clock: ManualClock = new ManualClock();
  readonly keepAlive: KeepAlive;
  /** When each ping was sent. */
  readonly sentAt: number[] = [];
  deaths = 0;
  // What moves below.
  bytesReceived = 0;
  bytesDone = 0;
  bytesTaken = 0;
  controlEnd = 0;
  /** The transport takes nothing. */
  isStuck = false;
  #lastValue = 0;
  readonly #start: number = this.clock.now();

  constructor(options: SessionOptions = {}) {
    this.keepAlive = new KeepAlive(resolveOptions({ clock: this.clock, ...options }), this, {
      sendPing: (value) => {
        this.#lastValue = value;
        this.sentAt.push(this.clock.now() - this.#start);
        this.controlEnd += 12;
        if (!this.isStuck) this.clock.setTimeout(() => this.take(), 0);
      },
      peerIsDead: () => {
        this.deaths += 1;
        this.keepAlive.stop(new Error('the peer is dead'));
      },
    });
  }

  /** The transport has taken all of what it was given. */
  take(): void {
    this.bytesDone = this.controlEnd;
    this.bytesTaken = this.controlEnd;
    this.keepAlive.progressed();
  }

  /** The peer answers the last ping. */
  answer(): void {
    this.bytesReceived += 12;
    this.keepAlive.pong(this.#lastValue);
  }
}

/** Without pings of its own. */
const quiet = { keepAliveInterval: 0 };

describe('pings', () => {
  test('go out at the start, after a second, then in every interval', () => {
    const scene = new Scene();
    scene.keepAlive.start();
    for (let seconds = 0; seconds < 100; seconds += 1) {
      scene.answer();
      scene.clock.advance(1000);
    }
    expect(scene.sentAt).toEqual([0, 1000, 31_000, 61_000, 91_000]);
  });

  test('go out in every interval when that is less than a second', () => {
    const scene = new Scene({ keepAliveInterval: 400 });
    scene.keepAlive.start();
    for (let times = 0; times < 10; times += 1) {
      scene.answer();
      scene.clock.advance(100);
    }
    expect(scene.sentAt).toEqual([0, 400, 800]);
  });

  test('do not go out at all with an interval of 0, and no timer is armed', () => {
    const scene = new Scene(quiet);
    scene.keepAlive.start();
    expect(scene.clock.pending).toBe(0);
    expect(scene.sentAt).toEqual([]);
  });

  test('are one at a time: none is sent while one is unanswered', () => {
    const scene = new Scene({ keepAliveInterval: 1000, keepAliveTimeout: 0 });
    scene.keepAlive.start();
    scene.clock.advance(5500);
    expect(scene.sentAt).toEqual([0]);
    scene.answer();
    scene.clock.advance(500);
    expect(scene.sentAt).toEqual([0, 6000]);
  });

  test('go out when the path is to be measured once more, one at a time', () => {
    const scene = new Scene();
    scene.keepAlive.start();
    scene.keepAlive.measure();
    expect(scene.sentAt).toEqual([0]);
    scene.answer();
    scene.clock.advance(20);
    scene.keepAlive.measure();
    expect(scene.sentAt).toEqual([0, 20]);
  });

  test('do not go out for a measure either with an interval of 0', () => {
    const scene = new Scene(quiet);
    scene.keepAlive.start();
    scene.keepAlive.measure();
    expect(scene.sentAt).toEqual([]);
  });

  test('measure the path', () => {
    const scene = new Scene();
    scene.keepAlive.start();
    expect(scene.keepAlive.rtt).toBeUndefined();
    scene.clock.advance(80);
    scene.answer();
    expect(scene.keepAlive.rtt).toBe(80);
    scene.clock.advance(920 + 20);
    scene.answer();
    expect(scene.keepAlive.rtt).toBe(20);
  });
});

describe('a peer that does not answer in time', () => {
  test('is dead if not a byte came meanwhile', () => {
    const scene = new Scene();
    scene.keepAlive.start();
    scene.clock.advance(9999);
    expect(scene.deaths).toBe(0);
    scene.clock.advance(1);
    expect(scene.deaths).toBe(1);
    expect(scene.clock.pending).toBe(0);
  });

  test('lives if a byte came meanwhile, and is asked again in the next interval', () => {
    const scene = new Scene();
    scene.keepAlive.start();
    scene.clock.advance(5000);
    scene.bytesReceived += 1;
    scene.clock.advance(25_999);
    expect(scene.sentAt).toEqual([0]);
    scene.clock.advance(1);
    expect(scene.sentAt).toEqual([0, 31_000]);
    scene.clock.advance(10_000);
    expect(scene.deaths).toBe(1);
  });

  test('lives if the transport let go of a byte meanwhile: a large body may stand before the ping on a slow link', () => {
    const scene = new Scene();
    scene.keepAlive.start();
    scene.clock.advance(9000);
    scene.bytesDone += 1;
    scene.clock.advance(1000);
    expect(scene.deaths).toBe(0);
    scene.clock.advance(21_000 + 10_000);
    expect(scene.sentAt).toEqual([0, 31_000]);
    expect(scene.deaths).toBe(1);
  });

  test('may answer when it likes with a timeout of 0', () => {
    const scene = new Scene({ keepAliveTimeout: 0 });
    scene.keepAlive.start();
    scene.clock.advance(10_000_000);
    expect(scene.deaths).toBe(0);
    scene.answer();
    expect(scene.keepAlive.rtt).toBe(10_000_000);
  });

  test('is given as long again if the process was suspended past its time, once', () => {
    const scene = new Scene();
    scene.keepAlive.start();
    scene.clock.suspend(3_600_000);
    expect(scene.deaths).toBe(0);
    scene.clock.advance(9999);
    expect(scene.deaths).toBe(0);
    scene.clock.advance(1);
    expect(scene.deaths).toBe(1);
  });

  test('is not given it twice for one ping, but again for the next', () => {
    const scene = new Scene();
    scene.keepAlive.start();
    scene.clock.suspend(3_600_000);
    scene.answer();
    scene.clock.advance(30_000);
    expect(scene.sentAt.length).toBe(2);
    scene.clock.suspend(3_600_000);
    expect(scene.deaths).toBe(0);
    scene.clock.suspend(3_600_000);
    expect(scene.deaths).toBe(1);
  });

  test('is not declared dead by a ping of the application alone', async () => {
    const scene = new Scene(quiet);
    const call = scene.keepAlive.ping();
    scene.clock.advance(10_000);
    await expect(call).rejects.toMatchObject({
      code: 'ERR_YAMUX_PING_TIMEOUT',
      scope: 'session',
      origin: 'remote',
      message: 'The peer did not answer a ping within 10000 ms (keepAliveTimeout)',
    });
    expect(scene.deaths).toBe(0);
  });
});

describe('a ping that the transport has not taken', () => {
  test('is waited for, however long: whether the transport takes anything is for writeTimeout to judge', () => {
    const scene = new Scene();
    scene.isStuck = true;
    scene.keepAlive.start();
    scene.clock.advance(600_000);
    expect(scene.deaths).toBe(0);
    expect(scene.sentAt).toEqual([0]);
    expect(scene.clock.pending).toBe(2);
  });

  test('has the whole patience from when it was taken', () => {
    const scene = new Scene();
    scene.isStuck = true;
    scene.keepAlive.start();
    scene.clock.advance(25_000);
    scene.take();
    scene.clock.advance(9999);
    expect(scene.deaths).toBe(0);
    scene.clock.advance(1);
    expect(scene.deaths).toBe(1);
  });

  test('is not taken while only what stood before it is', () => {
    const scene = new Scene();
    scene.isStuck = true;
    scene.controlEnd = 5000;
    scene.keepAlive.start();
    scene.bytesTaken = 5011;
    scene.keepAlive.progressed();
    scene.clock.advance(60_000);
    expect(scene.deaths).toBe(0);
    scene.take();
    scene.clock.advance(10_000);
    expect(scene.deaths).toBe(1);
  });

  test('fails no ping() meanwhile, and its pong ends all waiting', async () => {
    const scene = new Scene(quiet);
    scene.isStuck = true;
    const call = scene.keepAlive.ping();
    scene.clock.advance(30_000);
    scene.take();
    scene.clock.advance(5000);
    scene.answer();
    expect(await call).toBe(35_000);
    expect(scene.clock.pending).toBe(0);
  });
});

describe('ping()', () => {
  test('sends one and resolves with its round trip', async () => {
    const scene = new Scene(quiet);
    const call = scene.keepAlive.ping();
    scene.clock.advance(35);
    scene.answer();
    expect(await call).toBe(35);
    expect(scene.clock.pending).toBe(0);
  });

  test('joins the one that is under way, whoever sent it', async () => {
    const scene = new Scene();
    scene.keepAlive.start();
    scene.clock.advance(10);
    const calls = [scene.keepAlive.ping(), scene.keepAlive.ping()];
    scene.clock.advance(10);
    scene.answer();
    expect(await Promise.all(calls)).toEqual([20, 20]);
    expect(scene.sentAt).toEqual([0]);
  });

  test('that is taken back rejects alone', async () => {
    const scene = new Scene(quiet);
    const controller = new AbortController();
    const [back, stays] = [scene.keepAlive.ping(controller.signal), scene.keepAlive.ping()];
    controller.abort();
    scene.answer();
    await expect(back).rejects.toBe(controller.signal.reason);
    expect(await stays).toBe(0);
  });

  test('with a signal that has aborted sends nothing', async () => {
    const scene = new Scene(quiet);
    await expect(scene.keepAlive.ping(AbortSignal.abort())).rejects.toThrow();
    expect(scene.sentAt).toEqual([]);
    expect(scene.clock.pending).toBe(0);
  });

  test('after one that timed out sends another, and the late pong of the first is not its answer', async () => {
    const values: number[] = [];
    const clock = new ManualClock();
    const keepAlive = new KeepAlive(
      resolveOptions({ clock, ...quiet }),
      { bytesReceived: 0, bytesDone: 12, bytesTaken: 12, controlEnd: 12 },
      { sendPing: (value) => values.push(value), peerIsDead: () => {} },
    );
    const first = keepAlive.ping();
    clock.advance(10_000);
    await expect(first).rejects.toMatchObject({ code: 'ERR_YAMUX_PING_TIMEOUT' });
    const second = keepAlive.ping();
    clock.advance(5);
    keepAlive.pong(values[0] as number);
    clock.advance(5);
    keepAlive.pong(values[1] as number);
    expect(await second).toBe(10);
  });
});

describe('afterRoundTrip()', () => {
  test('sends a ping and calls back from within its pong', () => {
    const scene = new Scene(quiet);
    let calls = 0;
    scene.keepAlive.afterRoundTrip(() => {
      calls += 1;
    });
    expect(scene.sentAt).toEqual([0]);
    expect(calls).toBe(0);
    scene.answer();
    expect(calls).toBe(1);
    scene.keepAlive.pong(1);
    expect(calls).toBe(1);
  });

  test('waits for a ping of its own if one is under way: that one says nothing of what was sent after it', () => {
    const scene = new Scene(quiet);
    void scene.keepAlive.ping();
    let calls = 0;
    scene.keepAlive.afterRoundTrip(() => {
      calls += 1;
    });
    expect(scene.sentAt.length).toBe(1);
    scene.answer();
    expect(calls).toBe(0);
    expect(scene.sentAt.length).toBe(2);
    scene.answer();
    expect(calls).toBe(1);
    expect(scene.sentAt.length).toBe(2);
  });

  test('asks again when its ping times out', () => {
    const scene = new Scene(quiet);
    let calls = 0;
    scene.keepAlive.afterRoundTrip(() => {
      calls += 1;
    });
    scene.clock.advance(10_000);
    expect(scene.sentAt).toEqual([0, 10_000]);
    scene.answer();
    expect(calls).toBe(1);
  });

  test('asks when the ping times out that was under way before it', async () => {
    const scene = new Scene(quiet);
    const earlier = scene.keepAlive.ping();
    let calls = 0;
    scene.keepAlive.afterRoundTrip(() => {
      calls += 1;
    });
    scene.clock.advance(10_000);
    await expect(earlier).rejects.toMatchObject({ code: 'ERR_YAMUX_PING_TIMEOUT' });
    expect(scene.sentAt).toEqual([0, 10_000]);
    scene.answer();
    expect(calls).toBe(1);
  });
});

test('stop() leaves no timer, fails every ping(), and calls nobody back', async () => {
  const scene = new Scene();
  scene.keepAlive.start();
  const call = scene.keepAlive.ping();
  let calls = 0;
  scene.keepAlive.afterRoundTrip(() => {
    calls += 1;
  });
  const error = new Error('over');
  scene.clock.advance(0);
  scene.keepAlive.stop(error);
  expect(scene.clock.pending).toBe(0);
  await expect(call).rejects.toBe(error);
  scene.answer();
  expect(calls).toBe(0);
  expect(scene.sentAt).toEqual([0]);
});
