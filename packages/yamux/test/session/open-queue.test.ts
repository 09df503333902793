import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OpenQueue } from '../../src/session/open-queue.ts';
import { resolveOptions } from '../../src/session/options.ts';
import type { YamuxStream } from '../../src/stream/stream.ts';
import { ManualClock } from '../support/manual-clock.ts';

class Scene {
  readonly clock: ManualClock = new ManualClock();
  readonly opens: OpenQueue;
  /** Ids in the order in which their streams were made. */
  readonly made: number[] = [];
  /** What each call of open() came to. */
  readonly outcomes: string[] = [];

  constructor(maxUnacknowledged: number, ids = Number.POSITIVE_INFINITY) {
    this.opens = new OpenQueue(resolveOptions({ clock: this.clock, maxUnacknowledged }), () => {
      if (this.made.length >= ids) return undefined;
      const id = this.made.length * 2 + 1;
      this.made.push(id);
      return { id } as YamuxStream;
    });
  }

  open(signal?: AbortSignal): void {
    const call = this.outcomes.push('waits') - 1;
    this.opens.open(signal).then(
      ({ id }) => {
        this.outcomes[call] = `stream ${id}`;
      },
      (error: Error & { code?: unknown }) => {
        this.outcomes[call] = typeof error.code === 'string' ? error.code : error.name;
      },
    );
  }

  async opened(): Promise<string[]> {
    await turn();
    return this.outcomes;
  }
}

describe('open()', () => {
  test('makes a stream at once while fewer than the limit are unanswered, and arms no timer', async () => {
    const scene = new Scene(2);
    scene.open();
    scene.open();
    expect(scene.made).toEqual([1, 3]);
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3']);
    expect(scene.opens.unacknowledged).toBe(2);
    expect(scene.clock.pending).toBe(0);
  });

  test('past the limit waits in order for the peer to answer one', async () => {
    const scene = new Scene(1);
    for (let calls = 0; calls < 3; calls += 1) scene.open();
    expect(await scene.opened()).toEqual(['stream 1', 'waits', 'waits']);
    expect(scene.opens.waiting).toBe(2);
    scene.opens.answered(1);
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'waits']);
    scene.opens.answered(3);
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'stream 5']);
    expect(scene.opens.waiting).toBe(0);
  });

  test('never gets in front of those who wait', async () => {
    const scene = new Scene(1);
    scene.open();
    scene.open();
    scene.opens.answered(1);
    scene.open();
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'waits']);
  });

  test('that is taken back leaves its place to the next and uses no id', async () => {
    const scene = new Scene(1);
    const controller = new AbortController();
    scene.open();
    scene.open(controller.signal);
    scene.open();
    controller.abort();
    scene.opens.answered(1);
    expect(await scene.opened()).toEqual(['stream 1', 'AbortError', 'stream 3']);
  });

  test('with a signal that has aborted makes no stream', async () => {
    const scene = new Scene(1);
    scene.open(AbortSignal.abort());
    expect(await scene.opened()).toEqual(['AbortError']);
    expect(scene.made).toEqual([]);
  });
});

describe('an answer', () => {
  test('that comes twice, or to a stream that nobody counts, frees nothing', async () => {
    const scene = new Scene(2);
    for (let calls = 0; calls < 4; calls += 1) scene.open();
    scene.opens.answered(99);
    scene.opens.answered(1);
    scene.opens.answered(1);
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'stream 5', 'waits']);
    expect(scene.opens.unacknowledged).toBe(2);
  });
});

describe('a stream that stays unanswered for ten seconds', () => {
  test('gives its slot to the next who waits', async () => {
    const scene = new Scene(1);
    scene.open();
    scene.clock.advance(4000);
    scene.open();
    scene.open();
    scene.clock.advance(5999);
    expect(await scene.opened()).toEqual(['stream 1', 'waits', 'waits']);
    scene.clock.advance(1);
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'waits']);
    scene.clock.advance(9999);
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'waits']);
    scene.clock.advance(1);
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'stream 5']);
    expect(scene.clock.pending).toBe(0);
  });

  test('gives it as well if others were answered meanwhile', async () => {
    const scene = new Scene(2);
    scene.open();
    scene.clock.advance(6000);
    scene.open();
    scene.open();
    scene.opens.answered(1);
    scene.open();
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'stream 5', 'waits']);
    scene.clock.advance(9999);
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'stream 5', 'waits']);
    scene.clock.advance(1);
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'stream 5', 'stream 7']);
  });

  test('is answered later: that frees no second slot', async () => {
    const scene = new Scene(1);
    for (let calls = 0; calls < 3; calls += 1) scene.open();
    scene.clock.advance(10_000);
    scene.opens.answered(1);
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', 'waits']);
  });
});

describe('when all ids are used up', () => {
  test('open() is refused, and those who wait are refused when their turn comes', async () => {
    const scene = new Scene(1, 2);
    for (let calls = 0; calls < 4; calls += 1) scene.open();
    expect(scene.opens.isExhausted).toBe(false);
    scene.opens.answered(1);
    expect(scene.opens.isExhausted).toBe(false);
    scene.opens.answered(3);
    expect(scene.opens.isExhausted).toBe(true);
    scene.open();
    const refused = 'ERR_YAMUX_STREAMS_EXHAUSTED';
    expect(await scene.opened()).toEqual(['stream 1', 'stream 3', refused, refused, refused]);
    expect(scene.opens.unacknowledged).toBe(0);
  });
});

test('failAll() refuses those who wait; streams opened before are still counted', async () => {
  const scene = new Scene(1);
  scene.open();
  scene.open();
  scene.opens.failAll(new RangeError('no more'));
  expect(await scene.opened()).toEqual(['stream 1', 'RangeError']);
  expect(scene.opens.unacknowledged).toBe(1);
});

test('stop() refuses those who wait and leaves no timer; late answers make no stream', async () => {
  const scene = new Scene(1);
  scene.open();
  scene.open();
  expect(scene.clock.pending).toBe(1);
  scene.opens.stop(new RangeError('over'));
  expect(scene.clock.pending).toBe(0);
  expect(scene.opens.unacknowledged).toBe(0);
  scene.opens.answered(1);
  expect(await scene.opened()).toEqual(['stream 1', 'RangeError']);
  expect(scene.made).toEqual([1]);
});

test('any calls, answers, aborts and waiting keep to the limit and to the order, and leave nobody behind', async () => {
  const step = fc.record({
    kind: fc.constantFrom('open', 'open', 'open', 'answer', 'abort', 'wait'),
    at: fc.nat(20_000),
  });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), async (limit, steps) => {
      const scene = new Scene(limit);
      const controllers: AbortController[] = [];
      for (const { kind, at } of steps) {
        const picked = at % Math.max(1, controllers.length);
        if (kind === 'open') {
          const controller = new AbortController();
          controllers.push(controller);
          scene.open(controller.signal);
        } else if (kind === 'answer') scene.opens.answered(picked * 2 + 1);
        else if (kind === 'abort') controllers[picked]?.abort();
        else scene.clock.advance(at);
        expect(scene.opens.unacknowledged).toBeLessThanOrEqual(limit);
        // Nobody waits while there is room.
        if (scene.opens.waiting > 0) expect(scene.opens.unacknowledged).toBe(limit);
        expect(scene.clock.pending).toBeLessThanOrEqual(1);
      }
      scene.clock.advance(10_000 * (controllers.length + 1));
      const outcomes = await scene.opened();
      expect(outcomes).not.toContain('waits');
      const ids = outcomes.filter((outcome) => outcome !== 'AbortError');
      // Streams are given out in the order of the calls that were not taken back.
      expect(ids).toEqual(scene.made.map((id) => `stream ${id}`));
      expect(scene.clock.pending).toBe(0);
    }),
  );
});
