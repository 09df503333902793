import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OpenQueue } from '../../src/session/open-queue.ts';
import { resolveOptions } from '../../src/session/options.ts';
import type { Waiter } from '../../src/session/waiting-line.ts';
import { ManualClock } from '../support/manual-clock.ts';

class Scene {
  readonly clock: ManualClock = new ManualClock();
  readonly opens: OpenQueue;
  /** Ids in the order in which they were taken. */
  readonly taken: number[] = [];
  /** What each call of open() came to. */
  readonly outcomes: string[] = [];

  constructor(maxUnacknowledged: number, ids = Number.POSITIVE_INFINITY) {
    this.opens = new OpenQueue(resolveOptions({ clock: this.clock, maxUnacknowledged }), () => {
      if (this.taken.length >= ids) return undefined;
      const id = this.taken.length * 2 + 1;
      this.taken.push(id);
      return id;
    });
  }

  open(signal?: AbortSignal): Waiter<number> {
    const call = this.outcomes.push('waits') - 1;
    const opener: Waiter<number> = {
      resolve: (id) => {
        this.outcomes[call] = `stream ${id}`;
      },
      reject: (error) => {
        const { code, name } = error as Error & { code?: unknown };
        this.outcomes[call] = typeof code === 'string' ? code : name;
      },
      signal,
    };
    this.opens.open(opener);
    return opener;
  }
}

describe('open()', () => {
  test('gives an id within the call while fewer than the limit are unanswered, and arms no timer', () => {
    const scene = new Scene(2);
    scene.open();
    scene.open();
    expect(scene.taken).toEqual([1, 3]);
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3']);
    expect(scene.opens.unacknowledged).toBe(2);
    expect(scene.clock.pending).toBe(0);
  });

  test('past the limit waits in order for the peer to answer one', () => {
    const scene = new Scene(1);
    for (let calls = 0; calls < 3; calls += 1) scene.open();
    expect(scene.outcomes).toEqual(['stream 1', 'waits', 'waits']);
    expect(scene.opens.waiting).toBe(2);
    scene.opens.answered(1);
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'waits']);
    scene.opens.answered(3);
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'stream 5']);
    expect(scene.opens.waiting).toBe(0);
  });

  test('never gets in front of those who wait', () => {
    const scene = new Scene(1);
    scene.open();
    scene.open();
    scene.opens.answered(1);
    scene.open();
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'waits']);
  });

  test('that is taken back leaves its place to the next and uses no id', () => {
    const scene = new Scene(1);
    const controller = new AbortController();
    scene.open();
    scene.open(controller.signal);
    scene.open();
    controller.abort();
    scene.opens.answered(1);
    expect(scene.outcomes).toEqual(['stream 1', 'AbortError', 'stream 3']);
  });

  test('with a signal that has aborted takes no id', () => {
    const scene = new Scene(1);
    scene.open(AbortSignal.abort());
    expect(scene.outcomes).toEqual(['AbortError']);
    expect(scene.taken).toEqual([]);
  });
});

describe('cancel()', () => {
  test('takes a call out of the line: it hears nothing, and uses no id', () => {
    const scene = new Scene(1);
    scene.open();
    const second = scene.open();
    scene.open();
    scene.opens.cancel(second);
    expect(scene.opens.waiting).toBe(1);
    scene.opens.answered(1);
    expect(scene.outcomes).toEqual(['stream 1', 'waits', 'stream 3']);
  });

  test('leaves no listener on the signal of the call', () => {
    const scene = new Scene(1);
    const controller = new AbortController();
    scene.open();
    scene.opens.cancel(scene.open(controller.signal));
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    expect(scene.outcomes).toEqual(['stream 1', 'waits']);
  });

  test('of a call that was served changes nothing', () => {
    const scene = new Scene(1);
    const first = scene.open();
    scene.open();
    scene.opens.cancel(first);
    expect(scene.opens.unacknowledged).toBe(1);
    expect(scene.opens.waiting).toBe(1);
  });
});

test('a call that is served may open the next one: the limit holds', () => {
  const scene = new Scene(1);
  scene.open();
  scene.opens.open({ resolve: () => scene.open(), reject: () => {}, signal: undefined });
  scene.opens.answered(1);
  expect(scene.taken).toEqual([1, 3]);
  expect(scene.opens.waiting).toBe(1);
  scene.opens.answered(3);
  expect(scene.outcomes).toEqual(['stream 1', 'stream 5']);
});

describe('an answer', () => {
  test('that comes twice, or to a stream that nobody counts, frees nothing', () => {
    const scene = new Scene(2);
    for (let calls = 0; calls < 4; calls += 1) scene.open();
    scene.opens.answered(99);
    scene.opens.answered(1);
    scene.opens.answered(1);
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'stream 5', 'waits']);
    expect(scene.opens.unacknowledged).toBe(2);
  });
});

describe('a stream that stays unanswered for ten seconds', () => {
  test('gives its slot to the next who waits', () => {
    const scene = new Scene(1);
    scene.open();
    scene.clock.advance(4000);
    scene.open();
    scene.open();
    scene.clock.advance(5999);
    expect(scene.outcomes).toEqual(['stream 1', 'waits', 'waits']);
    scene.clock.advance(1);
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'waits']);
    scene.clock.advance(9999);
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'waits']);
    scene.clock.advance(1);
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'stream 5']);
    expect(scene.clock.pending).toBe(0);
  });

  test('gives it as well if others were answered meanwhile', () => {
    const scene = new Scene(2);
    scene.open();
    scene.clock.advance(6000);
    scene.open();
    scene.open();
    scene.opens.answered(1);
    scene.open();
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'stream 5', 'waits']);
    scene.clock.advance(9999);
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'stream 5', 'waits']);
    scene.clock.advance(1);
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'stream 5', 'stream 7']);
  });

  test('is answered later: that frees no second slot', () => {
    const scene = new Scene(1);
    for (let calls = 0; calls < 3; calls += 1) scene.open();
    scene.clock.advance(10_000);
    scene.opens.answered(1);
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', 'waits']);
  });
});

describe('when all ids are used up', () => {
  test('open() is refused, and those who wait are refused when their turn comes', () => {
    const scene = new Scene(1, 2);
    for (let calls = 0; calls < 4; calls += 1) scene.open();
    expect(scene.opens.isExhausted).toBe(false);
    scene.opens.answered(1);
    expect(scene.opens.isExhausted).toBe(false);
    scene.opens.answered(3);
    expect(scene.opens.isExhausted).toBe(true);
    scene.open();
    const refused = 'ERR_YAMUX_STREAMS_EXHAUSTED';
    expect(scene.outcomes).toEqual(['stream 1', 'stream 3', refused, refused, refused]);
    expect(scene.opens.unacknowledged).toBe(0);
  });
});

test('failAll() refuses those who wait; streams opened before are still counted', () => {
  const scene = new Scene(1);
  scene.open();
  scene.open();
  scene.opens.failAll(new RangeError('no more'));
  expect(scene.outcomes).toEqual(['stream 1', 'RangeError']);
  expect(scene.opens.unacknowledged).toBe(1);
});

test('stop() refuses those who wait and leaves no timer; late answers take no id', () => {
  const scene = new Scene(1);
  scene.open();
  scene.open();
  expect(scene.clock.pending).toBe(1);
  scene.opens.stop(new RangeError('over'));
  expect(scene.clock.pending).toBe(0);
  expect(scene.opens.unacknowledged).toBe(0);
  scene.opens.answered(1);
  expect(scene.outcomes).toEqual(['stream 1', 'RangeError']);
  expect(scene.taken).toEqual([1]);
});

test('any calls, answers, aborts and waiting keep to the limit and to the order, and leave nobody behind', () => {
  const step = fc.record({
    kind: fc.constantFrom('open', 'open', 'open', 'answer', 'abort', 'wait'),
    at: fc.nat(20_000),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), (limit, steps) => {
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
      const { outcomes } = scene;
      expect(outcomes).not.toContain('waits');
      const ids = outcomes.filter((outcome) => outcome !== 'AbortError');
      // Streams are given out in the order of the calls that were not taken back.
      expect(ids).toEqual(scene.taken.map((id) => `stream ${id}`));
      expect(scene.clock.pending).toBe(0);
    }),
  );
});
