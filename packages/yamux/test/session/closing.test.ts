import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Closing } from '../../src/session/closing.ts';
import { ManualClock } from '../support/manual-clock.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

function closing(): { closing: Closing; clock: ManualClock } {
  const clock = new ManualClock();
  return { closing: new Closing(clock), clock };
}

describe('the promise', () => {
  test('is one for all who ask, and begins with the first', () => {
    const { closing: one } = closing();
    expect(one.hasBegun).toBe(false);
    const { promise } = one;
    expect(one.hasBegun).toBe(true);
    expect(one.promise).toBe(promise);
  });

  test('resolves when the session ended cleanly', async () => {
    const { closing: one } = closing();
    const { promise } = one;
    one.settle(null);
    await expect(promise).resolves.toBeUndefined();
  });

  test('rejects with the error of which the session died', async () => {
    const { closing: one } = closing();
    const { promise } = one;
    const error = new Error('died');
    one.settle(error);
    await expect(promise).rejects.toBe(error);
  });

  test('that nobody waits for rejects without an unhandled rejection', async () => {
    const { closing: one } = closing();
    let unhandled = 0;
    const count = (): void => {
      unhandled += 1;
    };
    process.prependListener('unhandledRejection', count);
    void one.promise;
    one.settle(new Error('died'));
    await turn();
    await turn();
    process.off('unhandledRejection', count);
    expect(unhandled).toBe(0);
  });

  test('is not begun by a session that ends without close()', () => {
    const { closing: one } = closing();
    one.settle(null);
    expect(one.hasBegun).toBe(false);
  });
});

describe('a limit', () => {
  test('calls back after its time', () => {
    const { closing: one, clock } = closing();
    const calls: number[] = [];
    one.limit(500, () => calls.push(clock.now()));
    clock.advance(499);
    expect(calls).toEqual([]);
    clock.advance(1);
    expect(calls).toEqual([1500]);
  });

  test('takes the place of an earlier one', () => {
    const { closing: one, clock } = closing();
    const calls: string[] = [];
    one.limit(500, () => calls.push('first'));
    one.limit(100, () => calls.push('second'));
    clock.advance(1000);
    expect(calls).toEqual(['second']);
  });

  test('leaves no timer when the session is over', () => {
    const { closing: one, clock } = closing();
    one.limit(500, () => {});
    one.settle(null);
    expect(clock.pending).toBe(0);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])(
    'of %s throws RangeError, and the one before stays',
    (timeout) => {
      const { closing: one, clock } = closing();
      one.limit(500, () => {});
      expect(() => one.limit(timeout, () => {})).toThrow(
        new RangeError(`Expected timeout to be a number of milliseconds from 0 to 2147483647, got ${timeout}`),
      );
      expect(clock.pending).toBe(1);
    },
  );

  test("longer than Node's timers take throws RangeError: such a timer would fire at once", () => {
    const { closing: one } = closing();
    expect(() => one.limit(2_147_483_648, () => {})).toThrow(RangeError);
    one.limit(2_147_483_647, () => {});
  });
});

describe('a signal', () => {
  test("that aborts calls back, and the promise rejects with the signal's reason", async () => {
    const { closing: one } = closing();
    const { promise } = one;
    const controller = new AbortController();
    const reason = new Error('enough');
    one.abortOn(controller.signal, () => one.settle(null));
    controller.abort(reason);
    await expect(promise).rejects.toBe(reason);
    expect(listeners(controller.signal)).toBe(0);
  });

  test('that has aborted before calls back at once', async () => {
    const { closing: one } = closing();
    const { promise } = one;
    const signal = AbortSignal.abort();
    let calls = 0;
    one.abortOn(signal, () => {
      calls += 1;
      one.settle(null);
    });
    expect(calls).toBe(1);
    await expect(promise).rejects.toBe(signal.reason);
  });

  test('given twice is listened to once, and not at all when the session is over', () => {
    const { closing: one } = closing();
    const { signal } = new AbortController();
    one.abortOn(signal, () => {});
    one.abortOn(signal, () => {});
    expect(listeners(signal)).toBe(1);
    one.settle(null);
    expect(listeners(signal)).toBe(0);
  });

  test('of several, the first that aborts gives the reason', async () => {
    const { closing: one } = closing();
    const { promise } = one;
    const controllers = [new AbortController(), new AbortController()] as const;
    for (const { signal } of controllers) one.abortOn(signal, () => {});
    const reason = new Error('first');
    controllers[1].abort(reason);
    controllers[0].abort(new Error('second'));
    one.settle(null);
    await expect(promise).rejects.toBe(reason);
  });
});
