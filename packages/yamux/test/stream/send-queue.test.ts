import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SendQueue } from '../../src/stream/send-queue.ts';

function queueOf(...chunks: Array<string | Buffer>): SendQueue {
  const queue = new SendQueue();
  for (const chunk of chunks) queue.put(Buffer.from(chunk));
  return queue;
}

/** What copyInto() takes, as text. */
function copied(queue: SendQueue, max: number, large: number): string {
  const into = Buffer.alloc(100);
  return into.toString('latin1', 0, queue.copyInto(into, 0, max, large));
}

test('is equal to one buffer to which writes are appended and from whose front is taken', () => {
  const put = fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ kind: 'put' as const, bytes: Buffer.from(bytes) }));
  const take = fc.nat(50).map((bytes) => ({ kind: 'take' as const, bytes }));
  const copy = fc
    .record({ max: fc.nat(80), large: fc.integer({ min: 1, max: 45 }), at: fc.nat(5) })
    .map((parameters) => ({ kind: 'copy' as const, ...parameters }));
  const truncate = fc.nat(90).map((bytes) => ({ kind: 'truncate' as const, bytes }));
  const other = fc.constantFrom({ kind: 'clear' as const }, { kind: 'own' as const });
  const step = fc.oneof({ weight: 5, arbitrary: put }, take, copy, truncate, { weight: 1, arbitrary: other });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new SendQueue();
      let naive = Buffer.alloc(0);
      for (const one of steps) {
        if (one.kind === 'put') {
          queue.put(one.bytes);
          naive = Buffer.concat([naive, one.bytes]);
        } else if (one.kind === 'clear') {
          queue.clear();
          naive = Buffer.alloc(0);
        } else if (one.kind === 'own') {
          queue.own();
        } else if (one.kind === 'truncate') {
          queue.truncate(one.bytes);
          naive = naive.subarray(0, one.bytes);
        } else if (one.kind === 'take') {
          const bytes = Math.min(one.bytes, queue.headLength);
          if (bytes === 0) continue;
          expect(queue.take(bytes)).toEqual(naive.subarray(0, bytes));
          naive = naive.subarray(bytes);
        } else {
          const into = Buffer.alloc(100, 0xa5);
          const bytes = queue.copyInto(into, one.at, one.max, one.large);
          expect(bytes).toBeLessThanOrEqual(one.max);
          if (one.max > 0 && naive.length > 0) expect(bytes).toBeGreaterThan(0);
          expect(into.subarray(one.at, one.at + bytes)).toEqual(naive.subarray(0, bytes));
          expect(into.subarray(one.at + bytes).every((byte) => byte === 0xa5)).toBe(true);
          naive = naive.subarray(bytes);
        }
        expect(queue.length).toBe(naive.length);
        expect(queue.headLength > 0).toBe(naive.length > 0);
      }
    }),
  );
});

describe('take()', () => {
  test('gives the very chunk that was written, when all of it goes', () => {
    const chunk = Buffer.from('whole');
    const queue = new SendQueue();
    queue.put(chunk);
    expect(queue.take(5)).toBe(chunk);
  });

  test('gives views into the chunk that was written, when it goes in parts', () => {
    const chunk = Buffer.from('partly');
    const queue = new SendQueue();
    queue.put(chunk);
    const parts = [queue.take(4), queue.take(2)];
    expect(parts.map(String)).toEqual(['part', 'ly']);
    expect(parts.every((part) => part.buffer === chunk.buffer)).toBe(true);
  });

  test('of one chunk leaves the next as the first', () => {
    const queue = queueOf('abc', 'defg');
    expect(queue.headLength).toBe(3);
    queue.take(1);
    expect(queue.headLength).toBe(2);
    queue.take(2);
    expect(queue.headLength).toBe(4);
    expect(queue.length).toBe(4);
  });
});

describe('copyInto()', () => {
  test('joins small chunks', () => {
    expect(copied(queueOf('a', 'bc', 'def'), 80, 10)).toBe('abcdef');
  });

  test('stops before a large chunk, which then goes uncopied', () => {
    const queue = queueOf('ab', 'c', '0123456789');
    expect(copied(queue, 80, 10)).toBe('abc');
    expect(queue.headLength).toBe(10);
  });

  test('takes what is left of a large chunk once less than large is left', () => {
    const queue = queueOf('0123456789', 'x');
    queue.take(1);
    expect(copied(queue, 80, 10)).toBe('123456789x');
  });

  test('starts with a large chunk if that is the first, so that something always goes', () => {
    expect(copied(queueOf('0123456789', 'x'), 4, 10)).toBe('0123');
  });
});

describe('own()', () => {
  test('leaves nothing of the memory that was written: the writer may use it again', () => {
    const written = [Buffer.from('abcdef'), Buffer.from('ghi')];
    const queue = new SendQueue();
    for (const chunk of written) queue.put(chunk);
    queue.take(2);
    queue.own();
    for (const chunk of written) chunk.fill('x');
    expect(queue.length).toBe(7);
    expect(String(queue.take(queue.headLength))).toBe('cdefghi');
  });

  test('keeps memory of its own size alone', () => {
    const queue = queueOf('abc', 'def');
    queue.own();
    expect(queue.take(6).buffer.byteLength).toBe(6);
  });

  test('of an empty queue leaves it empty', () => {
    const queue = new SendQueue();
    queue.own();
    expect(queue.length).toBe(0);
    expect(queue.headLength).toBe(0);
  });
});

describe('truncate()', () => {
  test('keeps the first bytes, across chunks and from the middle of the first', () => {
    const queue = queueOf('abcdef', 'ghi', 'jkl');
    queue.take(2);
    queue.truncate(6);
    expect(queue.length).toBe(6);
    expect(copied(queue, 80, 100)).toBe('cdefgh');
  });

  test('to as much as waits, or more, changes nothing: the very chunk goes out', () => {
    const chunk = Buffer.from('whole');
    const queue = new SendQueue();
    queue.put(chunk);
    queue.truncate(5);
    queue.truncate(100);
    expect(queue.take(5)).toBe(chunk);
  });

  test('to 0 forgets all', () => {
    const queue = queueOf('abc');
    queue.truncate(0);
    expect(queue.length).toBe(0);
    expect(queue.headLength).toBe(0);
  });

  test('keeps nothing of the memory behind what it keeps', () => {
    const queue = new SendQueue();
    queue.put(Buffer.alloc(100_000));
    queue.truncate(10);
    expect(queue.take(10).buffer.byteLength).toBe(10);
  });
});

test('an empty chunk is not kept', () => {
  const queue = queueOf('', '');
  expect(queue.length).toBe(0);
  expect(queue.headLength).toBe(0);
});

test('after clear() nothing is left, not even of a chunk that was half taken, and writing starts anew', () => {
  const queue = queueOf('abcdef', 'ghi');
  queue.take(2);
  queue.clear();
  expect(queue.length).toBe(0);
  expect(queue.headLength).toBe(0);
  queue.put(Buffer.from('new'));
  expect(String(queue.take(3))).toBe('new');
});
