import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdleTimer } from '../src/idle-timer.ts';
import { ManualClock } from './support/manual-clock.ts';

const INTERVAL = 100;

function timing(progress?: () => number): { clock: ManualClock; timer: IdleTimer; fired: number[] } {
  const clock = new ManualClock();
  const fired: number[] = [];
  const start = clock.now();
  const timer = new IdleTimer(clock, INTERVAL, () => fired.push(clock.now() - start), progress);
  return { clock, timer, fired };
}

test('is not armed before the first touch', () => {
  const { clock, fired } = timing();
  clock.advance(10 * INTERVAL);
  expect(clock.pending).toBe(0);
  expect(fired).toEqual([]);
});

test('fires once, a whole interval after the last touch', () => {
  const { clock, timer, fired } = timing();
  timer.touch();
  clock.advance(60);
  timer.touch();
  clock.advance(60);
  timer.touch();
  clock.advance(99);
  expect(fired).toEqual([]);
  clock.advance(1);
  expect(fired).toEqual([220]);
  clock.advance(10 * INTERVAL);
  expect(fired).toEqual([220]);
});

test('keeps one timer for any number of touches', () => {
  const { clock, timer } = timing();
  for (let touches = 0; touches < 1000; touches += 1) timer.touch();
  expect(clock.pending).toBe(1);
});

test('after it has fired, a touch starts it again', () => {
  const { clock, timer, fired } = timing();
  timer.touch();
  clock.advance(INTERVAL);
  expect(clock.pending).toBe(0);
  timer.touch();
  expect(clock.pending).toBe(1);
  clock.advance(INTERVAL);
  expect(fired).toEqual([100, 200]);
});

test('may be touched from within its own callback', () => {
  const clock = new ManualClock();
  let fired = 0;
  const timer = new IdleTimer(clock, INTERVAL, () => {
    fired += 1;
    timer.touch();
  });
  timer.touch();
  clock.advance(3 * INTERVAL);
  expect(fired).toBe(3);
  timer.stop();
});

test('after stop() no timer is left and nothing fires, until it is touched', () => {
  const { clock, timer, fired } = timing();
  timer.touch();
  timer.stop();
  expect(clock.pending).toBe(0);
  clock.advance(10 * INTERVAL);
  expect(fired).toEqual([]);
  timer.touch();
  clock.advance(INTERVAL);
  expect(fired).toEqual([1100]);
});

test('stop() before any touch does nothing', () => {
  const { clock, timer } = timing();
  timer.stop();
  expect(clock.pending).toBe(0);
});

test('fires exactly when a whole interval has passed without a touch, for any sequence', () => {
  const step = fc.record({ wait: fc.nat(2 * INTERVAL), what: fc.constantFrom('touch', 'touch', 'touch', 'stop') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { clock, timer, fired } = timing();
      const expected: number[] = [];
      let at = 0;
      let due: number | undefined;
      for (const { wait, what } of steps) {
        clock.advance(wait);
        at += wait;
        if (due !== undefined && due <= at) {
          expected.push(due);
          due = undefined;
        }
        if (what === 'touch') timer.touch();
        else timer.stop();
        due = what === 'touch' ? at + INTERVAL : undefined;
        expect(fired).toEqual(expected);
        expect(clock.pending).toBe(due === undefined ? 0 : 1);
      }
    }),
  );
});

describe('when the process was suspended', () => {
  test('for more than an interval past its time, it waits once more before it judges', () => {
    const { clock, timer, fired } = timing();
    timer.touch();
    clock.suspend(2 * INTERVAL + 1);
    expect(fired).toEqual([]);
    clock.advance(INTERVAL - 1);
    expect(fired).toEqual([]);
    clock.advance(1);
    expect(fired).toEqual([301]);
  });

  test('and something moves right after, it does not fire', () => {
    const { clock, timer, fired } = timing();
    timer.touch();
    clock.suspend(50 * INTERVAL);
    timer.touch();
    clock.advance(INTERVAL - 1);
    expect(fired).toEqual([]);
    clock.advance(1);
    expect(fired).toEqual([5100]);
  });

  test('for no more than an interval past its time, it fires: that is an ordinary delay', () => {
    const { clock, timer, fired } = timing();
    timer.touch();
    clock.suspend(2 * INTERVAL);
    expect(fired).toEqual([200]);
  });

  test('again while it waits once more, it fires: a machine that always sleeps must not wait for ever', () => {
    const { clock, timer, fired } = timing();
    timer.touch();
    clock.suspend(5 * INTERVAL);
    clock.suspend(5 * INTERVAL);
    expect(fired).toEqual([1000]);
  });

  test('a second time after something has moved, it is forgiven again', () => {
    const { clock, timer, fired } = timing();
    timer.touch();
    clock.suspend(5 * INTERVAL);
    clock.advance(50);
    timer.touch();
    clock.advance(50);
    expect(clock.pending).toBe(1);
    clock.suspend(5 * INTERVAL);
    expect(fired).toEqual([]);
    clock.advance(INTERVAL);
    expect(fired).toEqual([1200]);
  });
});

describe('a figure of progress', () => {
  /** Fires at `fired`, with a figure that the test changes. */
  function moving(): ReturnType<typeof timing> & { figure: number } {
    const read: { figure: number } = { figure: 0 };
    return Object.assign(
      read,
      timing(() => read.figure),
    );
  }

  test('that stands still changes nothing', () => {
    const { clock, timer, fired } = moving();
    timer.touch();
    clock.advance(10 * INTERVAL);
    expect(fired).toEqual([100]);
  });

  test('that has changed, in either direction, counts as a touch when the timer looks at it', () => {
    for (const change of [1, -1]) {
      const scene = moving();
      const { clock, timer, fired } = scene;
      timer.touch();
      clock.advance(10);
      scene.figure += change;
      clock.advance(189);
      expect(fired).toEqual([]);
      clock.advance(1);
      expect(fired).toEqual([200]);
      clock.advance(10 * INTERVAL);
      expect(fired).toEqual([200]);
    }
  });

  test('that changes in each interval keeps it from firing for ever', () => {
    const scene = moving();
    const { clock, timer, fired } = scene;
    timer.touch();
    for (let intervals = 0; intervals < 50; intervals += 1) {
      scene.figure += 1;
      clock.advance(INTERVAL);
    }
    expect(fired).toEqual([]);
    clock.advance(INTERVAL);
    expect(fired).toEqual([51 * INTERVAL]);
  });

  test('that changed before the first touch is no progress', () => {
    const scene = moving();
    scene.figure = 7;
    scene.timer.touch();
    scene.clock.advance(INTERVAL);
    expect(scene.fired).toEqual([100]);
  });

  test('that changed while a touch had the timer wait for the rest does not count a second time', () => {
    const scene = moving();
    const { clock, timer, fired } = scene;
    timer.touch();
    clock.advance(50);
    scene.figure = 1;
    timer.touch();
    // At 100 it sees the touch, and looks at the figure anew.
    clock.advance(100);
    expect(fired).toEqual([150]);
  });

  test('that has changed after a suspension is forgiven again', () => {
    const scene = moving();
    const { clock, timer, fired } = scene;
    timer.touch();
    clock.suspend(5 * INTERVAL);
    scene.figure = 1;
    clock.advance(INTERVAL);
    expect(fired).toEqual([]);
    clock.suspend(5 * INTERVAL);
    expect(fired).toEqual([]);
    clock.advance(INTERVAL);
    expect(fired).toEqual([1200]);
  });
});
