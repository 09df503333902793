// A stream is read in every way that Node knows, by Node's own rules, and gives the peer credit for what Node has asked for.

import { once } from 'node:events';
import { addAbortSignal, PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamScene } from '../support/stream-scene.ts';
import { WINDOW } from '../support/wire-scene.ts';

const HIGH_WATER_MARK = 65_536;

const DESTROYED_BY_LOOP =
  'A for await, text() or the like has read this stream to its end and destroyed it, before this side was ended: to answer behind it, read stream.iterator({ destroyOnReturn: false })';

const sliceBytes = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 50 }) },
  fc.integer({ min: 1, max: 9000 }),
  fc.integer({ min: 1, max: 60_000 }),
);

/** What the application gets from now on, by reading or flowing. It starts paused. */
function takes({ stream }: StreamScene): Buffer[] {
  const taken: Buffer[] = [];
  stream.pause();
  stream.on('data', (chunk: Buffer) => taken.push(chunk));
  return taken;
}

const bytesOf = (chunks: readonly Buffer[]): number => chunks.reduce((sum, { length }) => sum + length, 0);

test('any slices, read in any mixture of ways, come out whole and in order; credit comes for what Node asked for alone', async () => {
  const receive = fc.record({
    kind: fc.constant('receive' as const),
    bytes: sliceBytes,
    share: fc.constantFrom(1, 2, 30),
  });
  const read = fc.record({ kind: fc.constantFrom('read' as const, 'unshift' as const), bytes: sliceBytes });
  const other = fc.record({
    kind: fc.constantFrom(
      'readAll',
      'readNull',
      'readZero',
      'resume',
      'pause',
      'readable',
      'noReadable',
      'turn',
      'turn',
    ),
  });
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: receive }, read, { weight: 2, arbitrary: other }), {
    maxLength: 60,
  });
  const anyPath = fc.constantFrom({}, { roundTrip: 10, budget: 100_000 }, { roundTrip: 10, budget: Infinity });
  await fc.assert(
    fc.asyncProperty(anyPath, steps, async (options, all) => {
      const scene = new StreamScene(options);
      const { stream, wire } = scene;
      const taken = takes(scene);
      const onReadable = (): void => void stream.read();
      for (const step of all) {
        if (step.kind === 'receive') {
          if (step.bytes <= wire.window.credit) scene.receive(step.bytes, step.share);
        } else if (step.kind === 'read') stream.read(step.bytes);
        else if (step.kind === 'unshift') {
          // The last bytes that were taken go back in front.
          const last = taken.pop();
          if (last) stream.unshift(last);
        } else if (step.kind === 'readAll') stream.read();
        else if (step.kind === 'readNull') stream.read(null as unknown as number);
        else if (step.kind === 'readZero') stream.read(0);
        else if (step.kind === 'resume') stream.resume();
        else if (step.kind === 'pause') stream.pause();
        else if (step.kind === 'readable') stream.on('readable', onReadable);
        else if (step.kind === 'noReadable') stream.removeListener('readable', onReadable);
        else {
          scene.clock.advance(15);
          await turn();
        }
        // Every byte is in one of three places.
        expect(bytesOf(taken) + stream.readableLength + wire.unreadBytes).toBe(scene.received);
        const { credit, growth, held } = wire.window;
        expect(held).toBe(wire.unreadBytes);
        expect(credit).toBe(WINDOW - scene.received + scene.granted);
        expect(scene.budget.used).toBe(growth);
      }
      wire.receiveFin();
      stream.removeAllListeners('readable');
      stream.resume();
      for (let turns = 0; turns < 500 && !stream.readableEnded; turns += 1) await turn();
      expect(stream.readableEnded).toBe(true);
      expect(Buffer.concat(taken).equals(scene.sent)).toBe(true);
      stream.destroy();
      expect(scene.budget.used).toBe(0);
    }),
  );
});

describe('a stream that nobody reads', () => {
  test('asks for one piece and leaves the rest where it is', async () => {
    const scene = new StreamScene();
    for (let slices = 0; slices < 8; slices += 1) {
      scene.receive(WINDOW / 8);
      await turn();
    }
    expect(scene.stream.readableLength).toBeLessThanOrEqual(HIGH_WATER_MARK + WINDOW / 8);
    expect(scene.stream.readableLength + scene.wire.unreadBytes).toBe(WINDOW);
    expect(scene.granted).toBeLessThan(WINDOW);
  });

  test('gives all of it to one who comes late, also when the stream was reset after its FIN and its session is gone', async () => {
    const scene = new StreamScene();
    for (let slices = 0; slices < 8; slices += 1) scene.receive(WINDOW / 8);
    scene.wire.receiveFin();
    scene.wire.sessionEnded(new Error('over'));
    for (let turns = 0; turns < 5; turns += 1) await turn();
    expect(scene.events).toEqual([]);
    const taken = takes(scene);
    scene.stream.resume();
    for (let turns = 0; turns < 10; turns += 1) await turn();
    expect(Buffer.concat(taken).equals(scene.sent)).toBe(true);
    expect(scene.events).toEqual(['end', 'finish', 'close']);
  });

  test('ends by itself when the peer sends FIN and nothing else', async () => {
    const scene = new StreamScene();
    scene.wire.receiveFin();
    await turn();
    expect(scene.events).toEqual(['end']);
  });

  test('does not end while a byte waits', async () => {
    const scene = new StreamScene();
    scene.receive(1);
    scene.wire.receiveFin();
    await turn();
    expect(scene.events).toEqual([]);
    expect(scene.stream.read()?.length).toBe(1);
    await turn();
    expect(scene.events).toEqual(['end']);
  });
});

describe('a flowing reader', () => {
  test('gets every slice at once and uncopied, however small', async () => {
    const scene = new StreamScene();
    const taken = takes(scene);
    scene.stream.resume();
    await turn();
    const slices = [scene.receive(1, 100), scene.receive(5000), scene.receive(10, 100)];
    expect(taken.map((chunk) => slices.indexOf(chunk))).toEqual([0, 1, 2]);
  });

  test('that pauses in the middle of a chunk gets nothing of the rest before it resumes', async () => {
    const scene = new StreamScene();
    const taken = takes(scene);
    scene.stream.on('data', () => scene.stream.pause());
    scene.stream.resume();
    await turn();
    scene.receive(5);
    scene.receive(5);
    await turn();
    expect(bytesOf(taken)).toBe(5);
    scene.stream.resume();
    await turn();
    expect(bytesOf(taken)).toBe(10);
  });

  test('that destroys the stream within a chunk gets no more', async () => {
    const scene = new StreamScene();
    const taken = takes(scene);
    scene.stream.on('data', () => scene.stream.destroy());
    scene.stream.resume();
    await turn();
    scene.receive(5);
    scene.receive(5);
    await turn();
    expect(bytesOf(taken)).toBe(5);
    expect(scene.events).toEqual(['close']);
  });
});

describe("who reads by 'readable'", () => {
  test('and asks for more than there is, is called again when the rest has come in small pieces', async () => {
    const scene = new StreamScene();
    const { stream } = scene;
    const records: number[] = [];
    stream.on('readable', () => {
      for (let record = stream.read(4); record !== null; record = stream.read(4)) records.push(record[0]);
    });
    for (const bytes of [2, 1, 1, 3, 1]) {
      scene.receive(bytes);
      await turn();
    }
    expect(records).toEqual([0, 4]);
  });

  test('and leaves what there is until it is enough, is called for each piece', async () => {
    const scene = new StreamScene();
    let calls = 0;
    scene.stream.on('readable', () => {
      calls += 1;
    });
    for (const bytes of [2, 1, 1]) {
      const before = calls;
      scene.receive(bytes);
      await turn();
      expect(calls).toBeGreaterThan(before);
    }
    expect(scene.stream.read(4)?.length).toBe(4);
  });

  test('and waits for a large record is no way to make us hold a Buffer for each byte of it', async () => {
    const scene = new StreamScene();
    const { stream } = scene;
    stream.on('readable', () => stream.read(30_000));
    const chunks = new Set<ArrayBufferLike>();
    for (let sent = 0; sent < 20_000; sent += 1) chunks.add(scene.receive(1, 3).buffer);
    await turn();
    stream.removeAllListeners('readable');
    const taken = takes(scene);
    stream.resume();
    for (let turns = 0; turns < 5; turns += 1) await turn();
    expect(bytesOf(taken)).toBe(20_000);
    expect(taken.length).toBeLessThanOrEqual(64 + 30);
    expect(taken.some(({ buffer }) => chunks.has(buffer))).toBe(false);
  });

  test('gets every record of any size out of any pieces', async () => {
    const pieces = fc.array(fc.record({ bytes: sliceBytes, thenTurn: fc.boolean() }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        pieces,
        fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 200_000 })),
        async (all, size) => {
          const scene = new StreamScene();
          const { stream } = scene;
          const records: Buffer[] = [];
          stream.on('readable', () => {
            for (let record = stream.read(size); record !== null; record = stream.read(size))
              records.push(record as Buffer);
          });
          for (const { bytes, thenTurn } of all) {
            if (bytes <= scene.wire.window.credit) scene.receive(bytes, 3);
            if (thenTurn) await turn();
          }
          for (let turns = 0; turns < 8; turns += 1) await turn();
          const whole = scene.received - (scene.received % size);
          expect(Buffer.concat(records).equals(scene.sent.subarray(0, whole))).toBe(true);
        },
      ),
    );
  });

  test('may ask for far more than the window: the peer is granted it', async () => {
    const scene = new StreamScene();
    const { stream, wire } = scene;
    const size = 4 * WINDOW;
    const records: Buffer[] = [];
    stream.on('readable', () => {
      const record = stream.read(size) as Buffer | null;
      if (record) records.push(record);
    });
    for (let turns = 0; turns < 1000 && records.length === 0; turns += 1) {
      const bytes = Math.min(wire.window.credit, 30_000, size - scene.received);
      if (bytes > 0) scene.receive(bytes);
      await turn();
    }
    expect(records[0]?.equals(scene.sent)).toBe(true);
  });
});

describe("what else Node's streams can do", () => {
  /** 300 bytes, in three slices, and the FIN. */
  function all(scene: StreamScene): void {
    for (let slices = 0; slices < 3; slices += 1) scene.receive(100);
    scene.wire.receiveFin();
  }

  test('setEncoding() gives text', async () => {
    const scene = new StreamScene();
    scene.stream.setEncoding('hex');
    all(scene);
    let text = '';
    for await (const chunk of scene.stream) text += chunk;
    expect(text).toBe(scene.sent.toString('hex'));
  });

  test('unshift() puts back what belongs to the next reader', async () => {
    const scene = new StreamScene();
    all(scene);
    await turn();
    const head = scene.stream.read(50) as Buffer;
    scene.stream.unshift(head.subarray(10));
    const rest = await scene.stream.toArray();
    expect(Buffer.concat([head.subarray(0, 10), ...rest]).equals(scene.sent)).toBe(true);
  });

  test('pipe() pipes', async () => {
    const scene = new StreamScene();
    const sink = scene.stream.pipe(new PassThrough());
    all(scene);
    expect(Buffer.concat(await sink.toArray()).equals(scene.sent)).toBe(true);
  });

  test('an iterator that leaves the stream alone can be followed by another', async () => {
    const scene = new StreamScene();
    scene.receive(5000);
    scene.receive(5000);
    scene.wire.receiveFin();
    const taken: Buffer[] = [];
    for await (const chunk of scene.stream.iterator({ destroyOnReturn: false })) {
      taken.push(chunk);
      break;
    }
    expect(scene.stream.destroyed).toBe(false);
    for await (const chunk of scene.stream) taken.push(chunk);
    expect(Buffer.concat(taken).equals(scene.sent)).toBe(true);
  });

  test('a loop to the end of the input destroys the stream, and the error says how not to', async () => {
    const scene = new StreamScene();
    const error = new Promise<unknown>((resolve) => scene.stream.once('error', resolve));
    all(scene);
    expect(await text(scene.stream)).toHaveLength(300);
    expect(scene.stream.destroyed).toBe(true);
    expect(await error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', message: DESTROYED_BY_LOOP });
    expect(scene.stream.errored).toBe(await error);
  });

  test('a loop behind our own end is no error, and the abort of a signal keeps its own', async () => {
    const ended = new StreamScene();
    ended.stream.end();
    all(ended);
    await text(ended.stream);
    expect(ended.stream.errored).toBe(null);
    const aborted = new StreamScene();
    aborted.stream.on('error', () => {});
    const cut = new AbortController();
    addAbortSignal(cut.signal, aborted.stream);
    aborted.wire.receiveFin();
    aborted.stream.resume();
    await once(aborted.stream, 'end');
    cut.abort();
    expect(aborted.stream.errored).toMatchObject({ message: 'The operation was aborted' });
  });

  test('a loop over the stream throws what ended it', async () => {
    const scene = new StreamScene();
    scene.receive(100);
    const reading = scene.stream.toArray();
    await turn();
    scene.wire.receiveReset(7);
    await expect(reading).rejects.toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET', errorCode: 7 });
  });
});

describe('allowHalfOpen', () => {
  test("of false ends our side after the peer's", async () => {
    const scene = new StreamScene({ allowHalfOpen: false });
    scene.wire.receiveFin();
    await once(scene.stream, 'end');
    await turn();
    expect(scene.giveTurns()).toEqual(['FIN']);
    await once(scene.stream, 'close');
    expect(scene.events).toEqual(['end', 'finish', 'close']);
  });

  test('of true leaves it open', async () => {
    const scene = new StreamScene();
    scene.wire.receiveFin();
    await turn();
    expect(scene.stream.writable).toBe(true);
    expect(scene.giveTurns()).toEqual([]);
  });
});
