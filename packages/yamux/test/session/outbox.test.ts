import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { HANDED_OVER_LIMIT, HEADER, KIB, MIB, OutboxScene, tick } from '../support/outbox-scene.ts';

describe('order', () => {
  test('control frames go in their order, ahead of data that was written before them', async () => {
    const scene = new OutboxScene();
    scene.stream().write('data');
    for (const value of [7, 8, 9]) scene.control(value);
    await turn();
    expect(scene.lines).toEqual(['CONTROL 7', 'CONTROL 8', 'CONTROL 9', 'DATA 1 4']);
  });

  test('a control frame goes ahead of the data that waits for the transport', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    scene.stream().write(Buffer.alloc(300 * KIB));
    await turn();
    const before = Math.ceil(HANDED_OVER_LIMIT / (32 * KIB + HEADER));
    scene.control(7);
    await scene.drain();
    expect(scene.lines.indexOf('CONTROL 7')).toBe(before);
    expect(scene.lines.length).toBe(11);
  });

  test('a control frame that a write callback causes goes ahead of what the other streams have to send', async () => {
    const scene = new OutboxScene();
    const [first, second] = [scene.stream(), scene.stream()];
    first.write('first', () => scene.control(7));
    second.write('second');
    await turn();
    expect(scene.lines).toEqual(['DATA 1 5', 'CONTROL 7', 'DATA 3 6']);
  });

  test('streams send in turn, one frame a turn, however much one of them has', async () => {
    const scene = new OutboxScene(16 * KIB);
    const [first, second, third] = [scene.stream(), scene.stream(), scene.stream()];
    first.write(Buffer.alloc(64 * KIB));
    second.write(Buffer.alloc(20 * KIB));
    third.write(Buffer.alloc(100));
    await turn();
    expect(scene.lines).toEqual([
      'DATA 1 16384',
      'DATA 3 16384',
      'DATA 5 100',
      'DATA 1 16384',
      'DATA 3 4096',
      'DATA 1 16384',
      'DATA 1 16384',
    ]);
  });

  test('a stream that comes later waits for one frame of each other stream, not for all they have', async () => {
    const scene = new OutboxScene(16 * KIB);
    scene.link.isHeld = true;
    const [first, second, late] = [scene.stream(), scene.stream(), scene.stream()];
    first.write(Buffer.alloc(512 * KIB));
    second.write(Buffer.alloc(512 * KIB));
    await turn();
    scene.link.takeBatch();
    late.write('late');
    const before = scene.lines.length;
    await scene.drain();
    const place = scene.lines.indexOf('DATA 5 4');
    const handedOver = Math.ceil(HANDED_OVER_LIMIT / (16 * KIB + HEADER));
    expect(place).toBeGreaterThan(0);
    expect(place).toBeLessThanOrEqual(before + handedOver + 2);
  });

  test('FIN is a frame of its own behind the last byte, in the turn of its stream', async () => {
    const scene = new OutboxScene(16 * KIB);
    const [first, second] = [scene.stream(), scene.stream()];
    first.end(Buffer.alloc(20 * KIB));
    second.end();
    await turn();
    await turn();
    const { lines } = scene;
    expect(lines.filter((one) => / 1\b/.test(one))).toEqual(['DATA 1 16384', 'DATA 1 4096', 'FIN 1']);
    expect(lines).toContain('FIN 3');
    expect(lines.length).toBe(4);
  });
});

describe('a batch', () => {
  test('carries all frames of a tick, corked', async () => {
    const scene = new OutboxScene();
    for (let streams = 0; streams < 5; streams += 1) scene.stream().write(Buffer.alloc(8 * KIB));
    scene.control(1);
    await turn();
    expect(scene.lines.length).toBe(6);
    expect(scene.link.batches.length).toBe(1);
    expect(scene.link.writableCorked).toBe(0);
  });

  test('leaves at the end of the tick, not within the call', async () => {
    const scene = new OutboxScene();
    scene.control(1);
    expect(scene.link.batches).toEqual([]);
    await tick();
    expect(scene.lines).toEqual(['CONTROL 1']);
  });

  test('by turns, leaves at the end of the turn of the event loop, with what later ticks of it have added', async () => {
    const scene = new OutboxScene(32 * KIB, 'turn');
    scene.control(1);
    await tick();
    expect(scene.link.batches).toEqual([]);
    scene.control(2);
    await turn();
    expect(scene.lines).toEqual(['CONTROL 1', 'CONTROL 2']);
    expect(scene.link.batches.length).toBe(1);
  });

  test.each(['tick', 'turn'] as const)(
    'by %ss, that was taken is followed by the next one within the tick',
    async (flushAt) => {
      const scene = new OutboxScene(32 * KIB, flushAt);
      scene.link.isHeld = true;
      scene.stream().write(Buffer.alloc(200 * KIB));
      await turn();
      expect(scene.link.batches.length).toBe(1);
      scene.link.takeBatch();
      await tick();
      await tick();
      expect(scene.link.batches.length).toBe(2);
    },
  );

  test('of small frames alone is one chunk', async () => {
    const scene = new OutboxScene();
    scene.control(1);
    for (let streams = 0; streams < 5; streams += 1) scene.stream().write('small');
    await turn();
    expect(scene.lines.length).toBe(6);
    expect(scene.link.chunks.length).toBe(1);
  });

  test('is told to the session when it is handed over and when it was taken', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    scene.control(1);
    await turn();
    expect(scene.told).toEqual(['handed over']);
    scene.link.takeBatch();
    await turn();
    expect(scene.told).toEqual(['handed over', 'progressed']);
  });
});

describe('payload', () => {
  test('of small writes to one stream shares a frame', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream();
    stream.cork();
    for (const text of ['a', 'bc', 'def']) stream.write(text);
    stream.uncork();
    await turn();
    expect(scene.lines).toEqual(['DATA 1 6']);
    expect(String(scene.payload(1))).toBe('abcdef');
  });

  test('of 4 KiB and more goes uncopied: the transport gets the very memory that was written', async () => {
    const scene = new OutboxScene(16 * KIB);
    const written = Buffer.alloc(40 * KIB, 'x');
    scene.stream().write(written);
    await turn();
    const pieces = scene.link.chunks.filter((chunk) => chunk.buffer === written.buffer);
    expect(pieces.map((piece) => [piece.byteOffset - written.byteOffset, piece.length])).toEqual([
      [0, 16 * KIB],
      [16 * KIB, 16 * KIB],
      [32 * KIB, 8 * KIB],
    ]);
  });

  test('of less than 4 KiB is copied behind its header: a chunk of its own costs more', async () => {
    const scene = new OutboxScene();
    const written = Buffer.alloc(4 * KIB - 1, 'x');
    scene.stream().write(written);
    await turn();
    expect(scene.link.chunks.every((chunk) => chunk.buffer !== written.buffer && chunk.length > HEADER)).toBe(true);
    expect(scene.payload(1)).toEqual(written);
  });

  test('between two large writes joins neither of them', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream();
    stream.cork();
    for (const bytes of [8 * KIB, 10, 20, 8 * KIB]) stream.write(Buffer.alloc(bytes));
    stream.uncork();
    await turn();
    expect(scene.lines).toEqual(['DATA 1 8192', 'DATA 1 30', 'DATA 1 8192']);
  });

  test('never goes past the credit of the peer, and goes on when there is more', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream(256 * KIB);
    const [wire] = scene.wires;
    stream.write(Buffer.alloc(300 * KIB, 'x'));
    await turn();
    expect(scene.payload(1).length).toBe(256 * KIB);
    wire?.receiveCredit(1);
    await turn();
    expect(scene.lines.at(-1)).toBe('DATA 1 1');
    wire?.receiveCredit(MIB);
    await turn();
    expect(scene.payload(1)).toEqual(Buffer.alloc(300 * KIB, 'x'));
  });

  test('of a stream that is reset while it waits goes out in its turns, as far as there is credit, and then RST', async () => {
    const scene = new OutboxScene(16 * KIB);
    scene.link.isHeld = true;
    const [first, second] = [scene.stream(256 * KIB), scene.stream()];
    first.write(Buffer.alloc(300 * KIB, 'x'));
    second.write(Buffer.alloc(300 * KIB));
    await turn();
    first.reset();
    await scene.drain();
    expect(scene.payload(1).equals(Buffer.alloc(256 * KIB, 'x'))).toBe(true);
    expect(scene.lines.filter((one) => / 1\b/.test(one)).at(-1)).toBe('RST 1');
    expect(scene.lines.filter((one) => one.startsWith('RST')).length).toBe(1);
    expect(scene.payload(3).length).toBe(300 * KIB);
  });

  test('of a stream that the peer reset does not go out any more, and the others go on', async () => {
    const scene = new OutboxScene(16 * KIB);
    scene.link.isHeld = true;
    const [first, second] = [scene.stream(), scene.stream()];
    first.write(Buffer.alloc(300 * KIB));
    second.write(Buffer.alloc(300 * KIB));
    await turn();
    scene.wires[0]?.receiveReset(0);
    const before = scene.payload(1).length;
    await scene.drain();
    expect(scene.payload(1).length).toBe(before);
    expect(scene.lines).not.toContain('RST 1');
    expect(scene.payload(3).length).toBe(300 * KIB);
  });
});

describe('end()', () => {
  test('sends the control frames that wait, then GoAway, then ends the transport; data that waits is left', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream();
    scene.control(7);
    stream.write('never sent');
    scene.outbox.end(1);
    expect(scene.link.writableEnded).toBe(true);
    await turn();
    expect(scene.frames.map(({ type, length }) => [type, length])).toEqual([
      [2, 7],
      [3, 1],
    ]);
    expect(scene.link.writableFinished).toBe(true);
  });

  test('gets its GoAway out past a transport that takes nothing yet', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    for (let value = 0; value < 20_000; value += 1) scene.control(value);
    await turn();
    scene.outbox.end(0);
    await scene.drain();
    expect(scene.frames.length).toBe(20_001);
    expect(scene.frames.at(-1)?.type).toBe(3);
    expect(scene.link.writableFinished).toBe(true);
  });

  test('from within a write callback, in the middle of a batch, sends what was begun, GoAway, and no more', async () => {
    const scene = new OutboxScene();
    const [first, second] = [scene.stream(), scene.stream()];
    first.write('first', () => scene.outbox.end(0));
    second.write('second');
    await turn();
    expect(scene.frames.map(({ type, length }) => [type, length])).toEqual([
      [0, 5],
      [3, 0],
    ]);
    expect(scene.link.writableFinished).toBe(true);
    expect(scene.link.writableCorked).toBe(0);
  });

  test('is final: what is asked for afterwards is not sent, and a second GoAway neither', async () => {
    const scene = new OutboxScene();
    const stream = scene.stream();
    scene.outbox.end(0);
    scene.outbox.end(1);
    scene.control(7);
    stream.write('never sent');
    await turn();
    expect(scene.frames.map(({ type, length }) => [type, length])).toEqual([[3, 0]]);
    expect(scene.outbox.framesSent).toBe(1);
  });
});

test('close() sends nothing any more, and leaves the transport alone', async () => {
  const scene = new OutboxScene();
  scene.control(7);
  scene.stream().write('never sent');
  scene.outbox.close();
  scene.control(8);
  scene.outbox.end(0);
  await turn();
  expect(scene.link.batches).toEqual([]);
  expect(scene.link.writableEnded).toBe(false);
  expect(scene.outbox.queuedBytes).toBe(0);
});

test('what the transport takes after close() is progress still: how long its end may take is judged by that', async () => {
  const scene = new OutboxScene();
  scene.link.isHeld = true;
  scene.control(7);
  await turn();
  scene.outbox.close();
  scene.link.takeBatch();
  await turn();
  expect(scene.told).toEqual(['handed over', 'progressed']);
  expect(scene.outbox.bytesTaken).toBe(HEADER);
});

test('what the transport fails to take is no progress', async () => {
  const scene = new OutboxScene();
  scene.link.on('error', () => {});
  scene.link.isHeld = true;
  scene.control(7);
  await turn();
  scene.link.takeBatch(new Error('broken'));
  await turn();
  expect(scene.told).toEqual(['handed over']);
  expect(scene.outbox.bytesTaken).toBe(0);
});

test('a write callback that throws holds back nobody else', async () => {
  const scene = new OutboxScene();
  const [first, second] = [scene.stream(), scene.stream()];
  const error = new Error('from a callback');
  const uncaught: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (thrown) => uncaught.push(thrown));
  try {
    first.write('first', () => {
      throw error;
    });
    second.write('second');
    await turn();
    await turn();
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  }
  expect(uncaught).toEqual([error]);
  expect(scene.lines).toEqual(['DATA 1 5', 'DATA 3 6']);
  expect(scene.link.writableCorked).toBe(0);
});
