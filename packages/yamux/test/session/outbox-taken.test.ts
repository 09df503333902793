// What the transport has taken of what it was handed, and who hears of it: a writer may use its memory again only then.

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { HANDED_OVER_LIMIT, HEADER, KIB, MIB, OutboxScene } from '../support/outbox-scene.ts';

describe('a write', () => {
  test('calls back when the transport has taken the last of it, and the stream finishes when its FIN is handed over', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    const stream = scene.stream();
    const events: string[] = [];
    stream.write(Buffer.alloc(100 * KIB), () => events.push(`written ${stream.bytesWritten}`));
    stream.write(Buffer.alloc(100 * KIB), () => events.push('written too'));
    stream.on('finish', () => events.push(`finished ${scene.lines.includes('FIN 1')}`));
    stream.end();
    await turn();
    expect(stream.bytesWritten).toBe(100 * KIB);
    expect(events).toEqual([]);
    scene.link.takeBatch();
    await turn();
    expect(events).toEqual(['written 102400']);
    await scene.drain();
    expect(events).toEqual(['written 102400', 'written too', 'finished true']);
  });

  test('that was copied behind its header calls back at once, whatever the transport takes', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    let written = 0;
    const stream = scene.stream();
    for (let writes = 0; writes < 5; writes += 1) stream.write(Buffer.alloc(4 * KIB - 1), () => (written += 1));
    await turn();
    expect(written).toBe(5);
    expect(scene.outbox.bytesTaken).toBe(0);
  });

  test('that begins with a large chunk and ends with a copied one waits for the large one', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    let written = 0;
    const stream = scene.stream();
    stream.cork();
    stream.write(Buffer.alloc(8 * KIB), () => (written += 1));
    stream.write('small', () => (written += 1));
    stream.uncork();
    await turn();
    expect(scene.lines).toEqual(['DATA 1 8192', 'DATA 1 5']);
    expect(written).toBe(0);
    scene.link.takeBatch();
    await turn();
    expect(written).toBe(2);
  });

  test('of each of many streams calls back with its own batch, in the order in which they were handed over', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    const written: number[] = [];
    for (let streams = 0; streams < 8; streams += 1) {
      const stream = scene.stream();
      stream.write(Buffer.alloc(32 * KIB), () => written.push(stream.id));
    }
    await turn();
    expect(scene.lines.length).toBe(4);
    scene.link.takeBatch();
    expect(written).toEqual([1, 3, 5, 7]);
    await turn();
    expect(written).toEqual([1, 3, 5, 7]);
    scene.link.takeBatch();
    expect(written).toEqual([1, 3, 5, 7, 9, 11, 13, 15]);
  });

  test('that the transport has not taken when all is closed fails: its memory may be used again, and it may be lost', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    const outcomes: unknown[] = [];
    scene.stream().write(Buffer.alloc(8 * KIB), (error) => outcomes.push((error as { code?: string } | null)?.code));
    await turn();
    expect(outcomes).toEqual([]);
    scene.outbox.close();
    expect(outcomes).toEqual(['ERR_YAMUX_STREAM_DESTROYED']);
    scene.link.takeBatch();
    await turn();
    expect(outcomes.length).toBe(1);
  });
});

describe('what the transport has taken', () => {
  test('is counted by whole batches', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    scene.control(1);
    await turn();
    scene.control(2);
    scene.control(3);
    await turn();
    expect([scene.outbox.bytesSent, scene.outbox.bytesTaken]).toEqual([3 * HEADER, 0]);
    scene.link.takeBatch();
    expect(scene.outbox.bytesTaken).toBe(HEADER);
    await turn();
    scene.link.takeBatch();
    expect(scene.outbox.bytesTaken).toBe(3 * HEADER);
  });

  test('reaches a control frame when it has come to where the lane ended', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    scene.stream().write('data');
    await turn();
    scene.control(1);
    const end = scene.outbox.controlEnd;
    expect(end).toBe(HEADER + 4 + HEADER);
    scene.link.takeBatch();
    expect(scene.outbox.bytesTaken).toBeLessThan(end);
    await turn();
    expect(scene.outbox.controlEnd).toBe(end);
    scene.link.takeBatch();
    expect(scene.outbox.bytesTaken).toBe(end);
  });

  test('leaves data untaken until it has the last payload or FIN; control frames alone are no data', async () => {
    const scene = new OutboxScene();
    scene.link.isHeld = true;
    scene.control(1);
    await turn();
    expect(scene.outbox.hasUntakenData).toBe(false);
    scene.link.takeBatch();
    scene.stream().end();
    await turn();
    expect(scene.outbox.hasUntakenData).toBe(true);
    scene.link.takeBatch();
    expect(scene.outbox.hasUntakenData).toBe(false);
  });
});

test("over a transport that is full of somebody else's bytes, frames wait behind these and go on when they are gone", async () => {
  const scene = new OutboxScene();
  scene.link.isHeld = true;
  scene.link.write(Buffer.alloc(8 * MIB));
  const stream = scene.stream();
  stream.write(Buffer.alloc(300 * KIB));
  await turn();
  expect(stream.bytesWritten).toBeGreaterThanOrEqual(HANDED_OVER_LIMIT);
  expect(stream.bytesWritten).toBeLessThan(HANDED_OVER_LIMIT + 32 * KIB);
  await scene.drain();
  expect(stream.bytesWritten).toBe(300 * KIB);
});
