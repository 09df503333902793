import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WaitingLine } from '../../src/session/waiting-line.ts';

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
    kind: fc.constantFrom('wait', 'wait', 'serve', 'abort', 'serveAll', 'failAll'),
    at: fc.nat(50),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const line = new WaitingLine<number>();
      const controllers: AbortController[] = [];
      const settled: Array<[string, number]> = [];
      const expected: Array<[string, number]> = [];
      let waiting: number[] = [];
      let served = 0;
      for (const { kind, at } of [...steps, { kind: 'failAll', at: 0 }]) {
        const picked = at % Math.max(1, controllers.length);
        if (kind === 'wait') {
          const call = controllers.length;
          const controller = new AbortController();
          controllers.push(controller);
          waiting.push(call);
          line.wait(controller.signal).then(
            () => settled.push(['served', call]),
            (error: unknown) => settled.push([error === controller.signal.reason ? 'aborted' : 'failed', call]),
          );
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
      expect(settled.length).toBe(controllers.length);
      expect(controllers.every(({ signal }) => listeners(signal) === 0)).toBe(true);
    }),
  );
});
