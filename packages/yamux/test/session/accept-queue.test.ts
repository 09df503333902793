import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { YamuxStream } from '../../src/duplex/yamux-stream.ts';
import { AcceptQueue } from '../../src/session/accept-queue.ts';
import type { HandOver } from '../../src/session/hand-over.ts';
import type { WireStream } from '../../src/stream/wire-stream.ts';

class Scene {
  readonly accepts: AcceptQueue;
  /** What was done with the streams, in order. */
  readonly log: string[] = [];
  listeners = 0;
  onStream: ((stream: YamuxStream) => void) | undefined;

  constructor(limit = 10) {
    const handOver = { hold: (stream: YamuxStream) => this.log.push(`${stream.id} held till it can be heard`) };
    this.accepts = new AcceptQueue(limit, handOver as unknown as HandOver, {
      hasListeners: () => this.listeners > 0,
      emit: (stream) => {
        this.log.push(`${stream.id} emitted`);
        this.onStream?.(stream);
      },
      take: ({ id }) => {
        this.log.push(`${id} made`);
        return { id, start: () => this.log.push(`${id} started`) } as unknown as YamuxStream;
      },
      taken: ({ id }) => this.log.push(`${id} taken`),
    });
  }

  /** What the queue looks at in a stream: nothing but which one it is. */
  stream(id: number): WireStream {
    return { id } as WireStream;
  }

  offer(id: number): void {
    this.accepts.offer(this.stream(id));
  }
}

/** Streams 1 and 3 go to accept(), one after the other. */
const BY_PROMISE = [1, 3].flatMap((id) => [`${id} made`, `${id} held till it can be heard`, `${id} taken`]);

describe('an inbound stream', () => {
  test('goes to the accept() that has waited longest, before any listener, and is held until it can be heard', async () => {
    const scene = new Scene();
    scene.listeners = 1;
    const calls = [scene.accepts.accept(), scene.accepts.accept()];
    scene.offer(1);
    scene.offer(3);
    expect((await Promise.all(calls)).map(({ id }) => id)).toEqual([1, 3]);
    expect(scene.log).toEqual(BY_PROMISE);
  });

  test("else goes to the 'stream' listeners, and then tells what had come before they could listen", () => {
    const scene = new Scene();
    scene.listeners = 1;
    scene.offer(1);
    expect(scene.log).toEqual(['1 made', '1 taken', '1 emitted', '1 started']);
    expect(scene.accepts.backlog).toBe(0);
  });

  test('else waits in the backlog, without an end for the application', () => {
    const scene = new Scene();
    scene.offer(1);
    expect(scene.log).toEqual([]);
    expect(scene.accepts.backlog).toBe(1);
  });
});

describe('the backlog', () => {
  test('is served to accept() in order of arrival', async () => {
    const scene = new Scene();
    scene.offer(1);
    scene.offer(3);
    expect((await scene.accepts.accept()).id).toBe(1);
    expect((await scene.accepts.accept()).id).toBe(3);
    expect(scene.accepts.backlog).toBe(0);
    expect(scene.log).toEqual(BY_PROMISE);
  });

  test('goes to a new listener, in order of arrival', () => {
    const scene = new Scene();
    scene.offer(1);
    scene.offer(3);
    scene.listeners = 1;
    scene.accepts.drainToListeners();
    expect(scene.log.filter((line) => line.endsWith('emitted'))).toEqual(['1 emitted', '3 emitted']);
    expect(scene.accepts.backlog).toBe(0);
  });

  test('keeps what is left when the listener goes after the first stream, as once() does', () => {
    const scene = new Scene();
    scene.offer(1);
    scene.offer(3);
    scene.listeners = 1;
    scene.onStream = () => {
      scene.listeners = 0;
    };
    scene.accepts.drainToListeners();
    expect(scene.accepts.backlog).toBe(1);
    expect(scene.log).not.toContain('3 made');
  });

  test('stays when the listener was gone again before it could be served', () => {
    const scene = new Scene();
    scene.offer(1);
    scene.accepts.drainToListeners();
    expect(scene.accepts.backlog).toBe(1);
  });

  test('loses a stream that died in it', () => {
    const scene = new Scene();
    const stream = scene.stream(1);
    scene.accepts.offer(stream);
    scene.accepts.drop(stream);
    expect(scene.accepts.backlog).toBe(0);
    scene.listeners = 1;
    scene.accepts.drainToListeners();
    expect(scene.log).toEqual([]);
  });

  test('may lose streams while it is drained: those are not emitted', () => {
    const scene = new Scene();
    const second = scene.stream(3);
    scene.offer(1);
    scene.accepts.offer(second);
    scene.listeners = 1;
    scene.onStream = () => scene.accepts.drop(second);
    scene.accepts.drainToListeners();
    expect(scene.log).toEqual(['1 made', '1 taken', '1 emitted', '1 started']);
    expect(scene.accepts.backlog).toBe(0);
  });

  test('is taken as a whole to be refused', () => {
    const scene = new Scene();
    scene.offer(1);
    scene.offer(3);
    expect(scene.accepts.takeBacklog().map(({ id }) => id)).toEqual([1, 3]);
    expect(scene.accepts.backlog).toBe(0);
    expect(scene.accepts.takeBacklog()).toEqual([]);
  });
});

describe('is full', () => {
  test('with as many as the limit, while nobody would take one more', () => {
    const scene = new Scene(2);
    scene.offer(1);
    expect(scene.accepts.isFull).toBe(false);
    scene.offer(3);
    expect(scene.accepts.isFull).toBe(true);
    scene.listeners = 1;
    expect(scene.accepts.isFull).toBe(false);
  });

  test('no more once one was accepted', async () => {
    const scene = new Scene(1);
    scene.offer(1);
    await scene.accepts.accept();
    expect(scene.accepts.isFull).toBe(false);
  });

  test('always with a limit of 0, whoever waits', async () => {
    const scene = new Scene(0);
    expect(scene.accepts.isFull).toBe(true);
    scene.listeners = 1;
    const call = scene.accepts.accept();
    expect(scene.accepts.isFull).toBe(true);
    scene.accepts.failAll(new Error('over'));
    await expect(call).rejects.toThrow('over');
  });
});

describe('accept()', () => {
  test('that is taken back gets no stream: the next one does', async () => {
    const scene = new Scene();
    const controller = new AbortController();
    const back = scene.accepts.accept(controller.signal);
    const stays = scene.accepts.accept();
    controller.abort();
    scene.offer(1);
    await expect(back).rejects.toBe(controller.signal.reason);
    expect((await stays).id).toBe(1);
  });

  test('with a signal that has aborted leaves the backlog as it is', async () => {
    const scene = new Scene();
    scene.offer(1);
    const signal = AbortSignal.abort();
    await expect(scene.accepts.accept(signal)).rejects.toBe(signal.reason);
    expect(scene.accepts.backlog).toBe(1);
    expect(scene.log).toEqual([]);
  });

  test('fails when the session ends, and so do all that wait', async () => {
    const scene = new Scene();
    const calls = [scene.accepts.accept(), scene.accepts.accept()];
    const error = new Error('over');
    scene.accepts.failAll(error);
    for (const call of calls) await expect(call).rejects.toBe(error);
  });
});

test('what a listener throws is an uncaught exception of its own, and the next stream is still served', async () => {
  const scene = new Scene();
  scene.offer(1);
  scene.offer(3);
  scene.listeners = 1;
  const error = new Error('from a listener');
  scene.onStream = ({ id }) => {
    if (id === 1) throw error;
  };
  const uncaught: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (thrown) => uncaught.push(thrown));
  try {
    scene.accepts.drainToListeners();
    await turn();
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  }
  expect(uncaught).toEqual([error]);
  expect(scene.log).toEqual([
    '1 made',
    '1 taken',
    '1 emitted',
    '1 started',
    '3 made',
    '3 taken',
    '3 emitted',
    '3 started',
  ]);
});
