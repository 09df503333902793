// What is written to a stream goes out as it was, whatever happens to its memory after the callback, and to the stream after the write.

import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WireStream } from '../../src/stream/wire-stream.ts';
import { KIB, OutboxScene } from '../support/outbox-scene.ts';

/** 'done', or the code of the error, of each write whose callback has come, in order. */
function outcomes(): { list: string[]; callback: (error?: Error | null) => void } {
  const list: string[] = [];
  return {
    list,
    callback: (error) => list.push(error ? String((error as { code?: string }).code ?? error.message) : 'done'),
  };
}

/** The peer sends `text` and ends. */
function receiveAll(wire: WireStream | undefined, text: string): void {
  wire?.window.announce(text.length);
  wire?.receiveData(Buffer.from(text));
  wire?.receiveFin();
}

describe('memory', () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.integer({ min: 3000, max: 5000 }),
    fc.integer({ min: 1, max: 90_000 }),
  );
  const step = fc.oneof(
    { weight: 3, arbitrary: sizes },
    { weight: 4, arbitrary: fc.constantFrom('turn' as const, 'take' as const, 'hold' as const, 'flow' as const) },
  );

  test.each(['end', 'end and destroy', 'destroy'] as const)(
    'may be used again in the callback of its write, also when the stream comes to its %s',
    async (ending) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const scene = new OutboxScene(16 * KIB);
          const stream = scene.stream();
          const written: Buffer[] = [];
          for (const [index, one] of steps.entries()) {
            if (typeof one === 'number') {
              const chunk = Buffer.alloc(one, index + 1);
              written.push(Buffer.from(chunk));
              stream.write(chunk, () => chunk.fill(0xff));
            } else if (one === 'turn') await turn();
            else if (one === 'take') scene.link.takeBatch();
            else scene.link.isHeld = one === 'hold';
          }
          if (ending !== 'destroy') stream.end();
          if (ending !== 'end') stream.destroy();
          await scene.drain();
          const taken = scene.takenPayload(1);
          // What Node holds behind a write that the transport still reads from is lost before an RST, as behind a socket whose kernel is full.
          const sent = Buffer.concat(written).subarray(0, ending === 'destroy' ? taken.length : undefined);
          expect(taken.equals(sent)).toBe(true);
          expect(scene.lines.at(-1)).toBe(ending === 'destroy' ? 'RST 1' : 'FIN 1');
        }),
      );
    },
  );
});

describe('destroy()', () => {
  test('after end() sends all that was written, also what Node still holds behind a write under way, and FIN', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream();
    for (const text of ['one ', 'two ', 'three']) stream.write(text);
    stream.end();
    stream.destroy();
    await turn();
    expect(String(scene.payload(1))).toBe('one two three');
    expect(scene.lines.at(-1)).toBe('FIN 1');
    expect(stream.errored).toBeNull();
  });

  test('after end() sends what Node holds behind a write that the transport still reads from', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    const stream = scene.stream();
    stream.write(Buffer.alloc(8 * KIB));
    await turn();
    stream.end('the rest');
    stream.destroy();
    await scene.drain();
    expect(
      scene
        .payload(1)
        .subarray(8 * KIB)
        .toString(),
    ).toBe('the rest');
    expect(scene.lines.at(-1)).toBe('FIN 1');
  });

  test('after end() that waits for the transport ends no input that it has dropped as if it were whole', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    const stream = scene.stream();
    const events: string[] = [];
    for (const event of ['end', 'close']) stream.on(event, () => events.push(event));
    stream.write(Buffer.alloc(8 * KIB));
    await turn();
    const [wire] = scene.wires;
    for (let pieces = 0; pieces < 3; pieces += 1) {
      wire?.window.announce(60 * KIB);
      wire?.receiveData(Buffer.alloc(60 * KIB));
    }
    stream.end('the rest');
    stream.destroy();
    wire?.receiveFin();
    stream.resume();
    await turn();
    await turn();
    expect(events).toEqual([]);
    await scene.drain();
    expect(events).toEqual(['close']);
  });

  test('after end() sends no FIN where Node keeps something of what was written', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream();
    const { list, callback } = outcomes();
    for (const text of ['one', 'two']) stream.write(text, callback);
    stream.end();
    // From here on Node gives nothing more.
    stream.cork();
    stream.destroy();
    await turn();
    expect(scene.lines.at(-1)).toBe('RST 1');
    expect(list).toEqual(['done', 'ERR_STREAM_DESTROYED']);
  });

  test('before end() sends all that was written, and then RST', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream();
    const { list, callback } = outcomes();
    for (const text of ['one ', 'two ', 'three']) stream.write(text, callback);
    stream.destroy();
    await turn();
    expect(String(scene.payload(1))).toBe('one two three');
    expect(scene.lines.at(-1)).toBe('RST 1');
    expect(list).toEqual(['done', 'done', 'done']);
  });

  test('past the credit of the peer sends as much as it allows, and says of the write that it was not sent', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream(256 * KIB);
    const { list, callback } = outcomes();
    stream.write(Buffer.alloc(300 * KIB), callback);
    stream.destroy();
    await turn();
    expect(scene.payload(1).length).toBe(256 * KIB);
    expect(scene.lines.at(-1)).toBe('RST 1');
    expect(list).toEqual(['ERR_YAMUX_STREAM_DESTROYED']);
  });

  test('with an error sends what was written as well, and the write that could not be sent fails with that error', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream(256 * KIB);
    const { list, callback } = outcomes();
    stream.write(Buffer.alloc(300 * KIB), callback);
    stream.destroy(Object.assign(new Error('why'), { code: 'WHY' }));
    await turn();
    expect(scene.payload(1).length).toBe(256 * KIB);
    expect(list).toEqual(['WHY']);
  });
});

describe('a write', () => {
  test('is called back once, whatever comes after it', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    const stream = scene.stream();
    const { list, callback } = outcomes();
    stream.write(Buffer.alloc(8 * KIB), callback);
    await turn();
    stream.destroy();
    scene.wires[0]?.receiveReset(0);
    await scene.drain();
    expect(list).toEqual(['done']);
  });

  test.each<[string, (scene: OutboxScene) => void]>([
    ['was destroyed', ({ streams }) => streams[0]?.destroy()],
    ['was ended and destroyed', ({ streams }) => streams[0]?.end().destroy()],
    ['was received whole', ({ wires }) => receiveAll(wires[0], 'unread')],
    ['lives', () => {}],
  ])(
    'of a stream that the peer resets keeps its memory until the transport has taken it, where the stream %s',
    async (_how, prepare) => {
      const scene = new OutboxScene();
      scene.link.isHeld = true;
      const chunk = Buffer.alloc(70 * KIB, 1);
      let calls = 0;
      scene.stream().write(chunk, () => {
        calls += 1;
        chunk.fill(0xff);
      });
      await turn();
      prepare(scene);
      scene.wires[0]?.receiveReset(0);
      for (let turns = 0; turns < 3; turns += 1) await turn();
      expect(calls).toBe(0);
      scene.streams[0]?.resume();
      await scene.drain();
      expect(calls).toBe(1);
      expect(scene.takenPayload(1).equals(Buffer.alloc(70 * KIB, 1))).toBe(true);
    },
  );

  test('that waits for credit fails with the RST of the peer', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream(256 * KIB);
    const { list, callback } = outcomes();
    stream.write(Buffer.alloc(300 * KIB), callback);
    await turn();
    scene.wires[0]?.receiveReset(5);
    await turn();
    await turn();
    expect(list).toEqual(['ERR_YAMUX_STREAM_RESET']);
    expect(stream.errored).toMatchObject({ errorCode: 5 });
  });

  test.each<[string, (wire: WireStream) => void, string]>([
    ["the peer's RST", (wire) => wire.receiveReset(5), 'ERR_YAMUX_STREAM_RESET'],
    ['the end of the session', (wire) => wire.sessionEnded(Object.assign(new Error(), { code: 'OVER' })), 'OVER'],
  ])('that waits for credit fails with %s, and so do those behind it', async (_how, end, code) => {
    const scene = new OutboxScene();
    const stream = scene.stream(256 * KIB);
    const { list, callback } = outcomes();
    stream.write(Buffer.alloc(300 * KIB), callback);
    stream.write('behind it', callback);
    stream.write('and this', callback);
    await turn();
    end(scene.wires[0] as WireStream);
    await turn();
    await turn();
    expect(stream.destroyed).toBe(true);
    expect(list).toEqual([code, code, code]);
  });

  test('in the tick of an RST fails with it, and so does the one behind it', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream();
    const { list, callback } = outcomes();
    scene.wires[0]?.receiveReset(5);
    stream.write('in between', callback);
    stream.write('behind it', callback);
    await turn();
    await turn();
    expect(stream.destroyed).toBe(true);
    expect(list).toEqual(['ERR_YAMUX_STREAM_RESET', 'ERR_YAMUX_STREAM_RESET']);
  });

  test('to a stream that was destroyed fails, and is not sent', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream();
    stream.destroy();
    const { list, callback } = outcomes();
    stream.write('late', callback);
    await turn();
    expect(list).toEqual(['ERR_STREAM_DESTROYED']);
    expect(scene.lines).toEqual(['RST 1']);
  });

  test('of no bytes is called back, although nothing goes out', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream();
    const { list, callback } = outcomes();
    stream.write('', callback);
    await turn();
    expect(list).toEqual(['done']);
    expect(scene.lines).toEqual([]);
  });

  test('says false at 64 KiB while nothing goes out, and drains when it does', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream(256 * KIB);
    stream.write(Buffer.alloc(256 * KIB));
    await turn();
    let drained = false;
    stream.on('drain', () => {
      drained = true;
    });
    const answers = Array.from({ length: 5 }, () => stream.write(Buffer.alloc(16 * KIB)));
    expect(answers).toEqual([true, true, true, false, false]);
    await turn();
    expect(drained).toBe(false);
    scene.wires[0]?.receiveCredit(80 * KIB);
    await turn();
    expect(drained).toBe(true);
  });
});

describe('when the wire is over and what was received is whole and unread', () => {
  /** 1000 bytes wait, and the peer has ended and reset. */
  async function whole(): Promise<OutboxScene> {
    const scene = new OutboxScene();
    scene.stream();
    const [wire] = scene.wires;
    wire?.window.announce(1000);
    wire?.receiveData(Buffer.alloc(1000));
    wire?.receiveFin();
    wire?.receiveReset(0);
    await turn();
    await turn();
    return scene;
  }

  test('writes wait, say false at 64 KiB, and fail behind the end', async () => {
    const scene = await whole();
    const [stream] = scene.streams;
    const { list, callback } = outcomes();
    let said = true;
    let written = 0;
    while (said && written < 1000) {
      said = stream?.write(Buffer.alloc(KIB), callback) ?? false;
      written += 1;
      await turn();
    }
    expect(said).toBe(false);
    expect(written).toBeLessThanOrEqual(66);
    expect(scene.lines).toEqual([]);
    expect(stream?.destroyed).toBe(false);
    stream?.resume();
    for (let turns = 0; turns < 5; turns += 1) await turn();
    expect(stream?.closed).toBe(true);
    expect(list.length).toBe(written);
    expect(list.at(-1)).not.toBe('done');
  });

  test('an echo comes to its end: reading never waits for writing', async () => {
    const scene = await whole();
    const [stream] = scene.streams;
    let echoed = 0;
    stream?.on('data', (chunk: Buffer) => {
      echoed += chunk.length;
      if (stream.write(Buffer.alloc(70 * KIB)) === false) {
        stream.pause();
        stream.once('drain', () => stream.resume());
      }
    });
    for (let turns = 0; turns < 10; turns += 1) await turn();
    expect(echoed).toBe(1000);
    expect(stream?.closed).toBe(true);
  });
});
