import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Waiter, WaitingLine } from '../../src/session/waiting-line.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

test('serves the call that has waited longest', async () => {
  const line = new WaitingLine<string>();
  const calls = [line.wait(), line.wait()];
  expect(line.length).toBe(2);
  expect(line.serveFirst('a')).toBe(true);
  expect(line.serveFirst('b')).toBe(true);
  expect(await Promise.all(calls)).toEqual(['a', 'b']);
  expect(line.serveFirst('c')).toBe(false);
});

test('serves all at once, or fails all at once', async () => {
  const line = new WaitingLine<number>();
  const served = [line.wait(), line.wait()];
  line.serveAll(7);
  expect(await Promise.all(served)).toEqual([7, 7]);
  const error = new Error('over');
  const failed = [line.wait(), line.wait()];
  line.failAll(error);
  for (const call of failed) await expect(call).rejects.toBe(error);
  expect(line.length).toBe(0);
});

test("a call whose signal aborts leaves the line with the signal's reason, and the others stay", async () => {
  const line = new WaitingLine<string>();
  const controller = new AbortController();
  const left = line.wait(controller.signal);
  const stays = line.wait();
  const reason = new Error('changed my mind');
  controller.abort(reason);
  await expect(left).rejects.toBe(reason);
  expect(line.length).toBe(1);
  line.serveFirst('a');
  expect(await stays).toBe('a');
});

test('a signal that has aborted before is not waited with', async () => {
  const line = new WaitingLine<string>();
  const signal = AbortSignal.abort();
  const call = line.wait(signal);
  expect(line.length).toBe(0);
  await expect(call).rejects.toBe(signal.reason);
  expect(listeners(signal)).toBe(0);
});

test('what enters by its own callbacks waits among the calls, and hears within the call that serves it', () => {
  const line = new WaitingLine<string>();
  const heard: unknown[] = [];
  const waiter = (signal?: AbortSignal): Waiter<string> => ({
    resolve: (value) => heard.push(value),
    reject: (error) => heard.push(error),
    signal,
  });
  line.enter(waiter());
  line.serveFirst('a');
  expect(heard).toEqual(['a']);
  const controller = new AbortController();
  line.enter(waiter(controller.signal));
  controller.abort();
  expect(heard).toEqual(['a', controller.signal.reason]);
  line.enter(waiter(controller.signal));
  expect(heard.length).toBe(3);
  expect(line.length).toBe(0);
});

test('what leaves the line hears nothing and keeps no listener; to leave twice, or after being served, does nothing', () => {
  const line = new WaitingLine<string>();
  const { signal } = new AbortController();
  const heard: string[] = [];
  const waiter: Waiter<string> = { resolve: (value) => heard.push(value), reject: () => heard.push('failed'), signal };
  const other: Waiter<string> = { ...waiter, resolve: (value) => heard.push(`other ${value}`) };
  line.enter(waiter);
  line.enter(other);
  line.leave(waiter);
  line.leave(waiter);
  expect(line.length).toBe(1);
  expect(listeners(signal)).toBe(1);
  line.serveFirst('a');
  line.leave(other);
  expect(heard).toEqual(['other a']);
  expect(listeners(signal)).toBe(0);
});

test('one listener stands on a signal, however many wait with it', () => {
  const line = new WaitingLine<void>();
  const { signal } = new AbortController();
  for (let calls = 0; calls < 20; calls += 1) void line.wait(signal);
  expect(listeners(signal)).toBe(1);
  line.serveAll();
  expect(listeners(signal)).toBe(0);
});

test('the same signal may wait many times', async () => {
  const line = new WaitingLine<number>();
  const controller = new AbortController();
  const calls = [1, 2, 3].map(() => line.wait(controller.signal));
  line.serveFirst(1);
  controller.abort();
  expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
});

test('whatever happens, every call settles once, in order, and no listener is left on a signal', async () => {
  const step = fc.record({
    kind: fc.constantFrom('wait', 'wait', 'enter', 'serve', 'abort', 'leave', 'serveAll', 'failAll'),
    at: fc.nat(50),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const line = new WaitingLine<number>();
      const controllers: AbortController[] = [];
      const entered = new Map<number, Waiter<number>>();
      const settled: Array<[string, number]> = [];
      const expected: Array<[string, number]> = [];
      let waiting: number[] = [];
      let served = 0;
      let left = 0;
      for (const { kind, at } of [...steps, { kind: 'failAll', at: 0 }]) {
        const picked = at % Math.max(1, controllers.length);
        if (kind === 'wait' || kind === 'enter') {
          const call = controllers.length;
          const controller = new AbortController();
          const { signal } = controller;
          controllers.push(controller);
          waiting.push(call);
          const resolve = (): unknown => settled.push(['served', call]);
          const reject = (error: unknown): unknown =>
            settled.push([error === signal.reason ? 'aborted' : 'failed', call]);
          if (kind === 'wait') {
            line.wait(signal).then(resolve, reject);
          } else {
            // In a microtask, as a promise's callbacks are.
            const later = {
              resolve: () => queueMicrotask(resolve),
              reject: (e: unknown) => queueMicrotask(() => reject(e)),
            };
            entered.set(call, { ...later, signal });
            line.enter(entered.get(call) as Waiter<number>);
          }
        } else if (kind === 'leave') {
          const waiter = entered.get(picked);
          if (waiter) line.leave(waiter);
          if (waiter && waiting.includes(picked)) {
            left += 1;
            waiting = waiting.filter((call) => call !== picked);
          }
        } else if (kind === 'serve') {
          expect(line.serveFirst(served++)).toBe(waiting.length > 0);
          const first = waiting.shift();
          if (first !== undefined) expected.push(['served', first]);
        } else if (kind === 'abort') {
          controllers[picked]?.abort();
          if (waiting.includes(picked)) expected.push(['aborted', picked]);
          waiting = waiting.filter((call) => call !== picked);
        } else {
          if (kind === 'serveAll') line.serveAll(0);
          else line.failAll(new Error('over'));
          for (const call of waiting) expected.push([kind === 'serveAll' ? 'served' : 'failed', call]);
          waiting = [];
        }
        expect(line.length).toBe(waiting.length);
        await Promise.resolve();
      }
      await turn();
      expect(settled).toEqual(expected);
      expect(settled.length).toBe(controllers.length - left);
      expect(controllers.every(({ signal }) => listeners(signal) === 0)).toBe(true);
    }),
  );
});
