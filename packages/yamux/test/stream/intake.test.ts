// The intake belongs to a stream's read(), so most of this looks at it through a stream, as an application does.

import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Intake } from '../../src/stream/intake.ts';
import { YamuxStream } from '../../src/stream/stream.ts';
import { WindowBudget } from '../../src/stream/window-budget.ts';
import { ManualClock } from '../support/manual-clock.ts';

const WINDOW = 262_144;

/** A stream, the bytes that arrive on it, numbered so that a lost, doubled or moved one is seen, and the credit that it gives back. */
class Scene {
  readonly clock: ManualClock = new ManualClock();
  readonly budget: WindowBudget;
  readonly stream: YamuxStream;
  readonly #sent: Buffer[] = [];
  received = 0;
  granted = 0;
  /** How often the round trip was to be measured. */
  measures = 0;

  /** Without a round trip the window stays as it is. */
  constructor({ roundTrip, budget = 0 }: { roundTrip?: number; budget?: number } = {}) {
    this.budget = new WindowBudget(budget);
    this.stream = new YamuxStream(
      {
        clock: this.clock,
        transport: {},
        halfCloseTimeout: 0,
        maxStreamWindow: 4 * WINDOW,
        windowBudget: this.budget,
        roundTrip: () => roundTrip,
        measureRoundTrip: () => {
          this.measures += 1;
        },
        sendCredit: (_stream, delta) => {
          this.granted += delta;
        },
        sendReset: () => {},
        wantsTurn: () => {},
        acknowledged: () => {},
        rapidlyReset: () => {},
        released: () => {},
        ended: () => {},
      },
      1,
      'inbound',
    );
  }

  get sent(): Buffer {
    return Buffer.concat(this.#sent);
  }

  /** The next `bytes`, as a slice of memory `share` times as large, arrive. */
  receive(bytes: number, share = 1): Buffer {
    const slice = Buffer.allocUnsafeSlow(bytes * share).subarray(0, bytes);
    for (let at = 0; at < bytes; at += 1) slice[at] = (this.received + at) % 251;
    this.#sent.push(Buffer.from(slice));
    this.deliver(slice);
    return slice;
  }

  /** As a session does it: the window first. */
  deliver(slice: Buffer): void {
    if (!this.stream.intake.window.announce(slice.length)) throw new Error('the test sends more than the window');
    this.received += slice.length;
    this.stream.receiveData(slice);
  }

  /** What the application gets from now on. It starts paused: then this hears of every read(), and starts nothing. */
  takes(): Buffer[] {
    const taken: Buffer[] = [];
    this.stream.pause();
    this.stream.on('data', (chunk: Buffer) => taken.push(chunk));
    return taken;
  }

  /** Nothing of the credit is lost, made, or given before its byte was taken; what is owed is less than half a window. */
  checkCredit(takenBytes: number): void {
    const { size, credit, held, growth } = this.stream.intake.window;
    expect(this.stream.bytesRead).toBe(this.received);
    expect(held).toBe(this.received - takenBytes);
    expect(credit).toBe(WINDOW - this.received + this.granted);
    expect(this.granted).toBeLessThanOrEqual(takenBytes + growth);
    expect(takenBytes + growth - this.granted).toBeLessThan(size / 2);
    expect(this.budget.used).toBe(growth);
  }
}

const bytesOf = (chunks: readonly Buffer[]): number => chunks.reduce((sum, { length }) => sum + length, 0);

/** Bytes of memory that are kept alive by `chunks`. */
function pinnedBy(chunks: readonly Buffer[]): number {
  const memory = new Set(chunks.map(({ buffer }) => buffer));
  return [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

const sliceBytes = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 50 }) },
  fc.integer({ min: 1, max: 9000 }),
  fc.integer({ min: 1, max: 60_000 }),
);

test('any slices, read in any way, come out whole and in order, and credit comes back for what was taken alone', async () => {
  const receive = fc.record({
    kind: fc.constant('receive' as const),
    bytes: sliceBytes,
    share: fc.constantFrom(1, 2, 7, 9, 30),
  });
  const read = fc.record({ kind: fc.constant('read' as const), bytes: sliceBytes });
  const other = fc.record({ kind: fc.constantFrom('readAll', 'resume', 'pause', 'turn', 'readZero') });
  const steps = fc.array(fc.oneof({ weight: 4, arbitrary: receive }, read, other), { maxLength: 60 });
  const anyRoundTrip = fc.constantFrom({}, { roundTrip: 10, budget: 100_000 }, { roundTrip: 10, budget: Infinity });
  await fc.assert(
    fc.asyncProperty(anyRoundTrip, steps, async (options, all) => {
      const scene = new Scene(options);
      const { stream } = scene;
      const taken = scene.takes();
      for (const step of all) {
        if (step.kind === 'receive') {
          if (step.bytes <= stream.intake.window.credit) scene.receive(step.bytes, step.share);
        } else if (step.kind === 'read') stream.read(step.bytes);
        else if (step.kind === 'readAll') stream.read();
        else if (step.kind === 'readZero') stream.read(0);
        else if (step.kind === 'resume') stream.resume();
        else if (step.kind === 'pause') stream.pause();
        else {
          scene.clock.advance(15);
          await turn();
        }
        scene.checkCredit(bytesOf(taken));
      }
      stream.receiveFin();
      stream.resume();
      while (!stream.readableEnded) await turn();
      stream.destroy();
      expect(scene.budget.used).toBe(0);
      expect(Buffer.concat(taken).equals(scene.sent)).toBe(true);
    }),
  );
});

test('a flowing reader gets every slice at once and uncopied, however small', async () => {
  const scene = new Scene();
  const taken = scene.takes();
  scene.stream.resume();
  await turn();
  const slices = [scene.receive(1, 100), scene.receive(5000), scene.receive(10, 100)];
  expect(taken.map((chunk) => slices.indexOf(chunk))).toEqual([0, 1, 2]);
});

describe('a reader that does not read', () => {
  test('keeps large slices as they are, uncopied', async () => {
    const scene = new Scene();
    const taken = scene.takes();
    const slices = [scene.receive(5000), scene.receive(1024, 2)];
    scene.stream.resume();
    await turn();
    expect(taken.map((chunk) => slices.indexOf(chunk))).toEqual([0, 1]);
  });

  test('pins nothing of the chunks that small slices came in: 20,000 bytes in 20,000 chunks of 64 KiB', async () => {
    const scene = new Scene();
    const taken = scene.takes();
    const count = 20_000;
    const chunk = Buffer.allocUnsafeSlow(65_536);
    for (let sent = 0; sent < count; sent += 1) scene.deliver(chunk.subarray(sent, sent + 1));
    scene.stream.resume();
    await turn();
    expect(bytesOf(taken)).toBe(count);
    expect(taken.some(({ buffer }) => buffer === chunk.buffer)).toBe(false);
    expect(pinnedBy(taken)).toBeLessThanOrEqual(2 * count + 65_536);
    // A Buffer costs more than a byte: they must be few as well.
    expect(taken.length).toBeLessThanOrEqual(count / 1000);
  });

  test('nor when it has just been resumed and has not read yet', async () => {
    const scene = new Scene();
    const taken = scene.takes();
    const chunk = Buffer.allocUnsafeSlow(65_536);
    scene.deliver(chunk.subarray(0, 1));
    scene.stream.resume();
    scene.deliver(chunk.subarray(1, 2));
    await turn();
    expect(bytesOf(taken)).toBe(2);
    expect(pinnedBy(taken)).toBe(2);
  });

  test('pins at most twice what waits, and one slab', async () => {
    const slices = fc.array(fc.record({ bytes: sliceBytes, share: fc.integer({ min: 1, max: 64 }) }), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(slices, async (all) => {
        const scene = new Scene();
        const taken = scene.takes();
        for (const { bytes, share } of all) {
          if (bytes <= scene.stream.intake.window.credit) scene.receive(bytes, share);
        }
        scene.stream.resume();
        await turn();
        expect(bytesOf(taken)).toBe(scene.received);
        expect(pinnedBy(taken)).toBeLessThanOrEqual(2 * scene.received + 4096);
      }),
    );
  });
});

describe("who reads by 'readable'", () => {
  test('and asks for more than there is, is called again when the rest has come in small pieces', async () => {
    const { stream, deliver } = sceneOfText();
    const records: string[] = [];
    stream.on('readable', () => {
      for (let record = stream.read(4); record !== null; record = stream.read(4)) records.push(String(record));
    });
    for (const piece of ['ab', 'c', 'd', 'efg', 'h']) {
      deliver(piece);
      await turn();
    }
    expect(records).toEqual(['abcd', 'efgh']);
  });

  test('and leaves what there is until it is enough, is called for each piece and sees all that came', async () => {
    const { stream, deliver } = sceneOfText();
    let seen = 0;
    stream.on('readable', () => {
      seen = stream.readableLength;
    });
    for (const [piece, length] of [
      ['ab', 2],
      ['c', 3],
      ['d', 4],
    ] as const) {
      deliver(piece);
      await turn();
      expect(seen).toBe(length);
    }
  });

  test('and waits for a large record is no way to make us hold a Buffer for each byte of it', async () => {
    const scene = new Scene();
    const { stream } = scene;
    stream.on('readable', () => stream.read(30_000));
    for (let sent = 0; sent < 20_000; sent += 1) {
      scene.receive(1, 100);
      await turn();
    }
    stream.removeAllListeners('readable');
    const taken = scene.takes();
    stream.resume();
    await turn();
    expect(bytesOf(taken)).toBe(20_000);
    expect(taken.length).toBeLessThanOrEqual(20);
    expect(pinnedBy(taken)).toBeLessThanOrEqual(2 * 20_000 + 4096);
  });

  test('gets every record of any size out of any pieces, and gives credit for it', async () => {
    const pieces = fc.array(fc.record({ bytes: sliceBytes, thenTurn: fc.boolean() }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 3000 }), async (all, size) => {
        const scene = new Scene();
        const { stream } = scene;
        const records: Buffer[] = [];
        stream.on('readable', () => {
          for (let record = stream.read(size); record !== null; record = stream.read(size))
            records.push(record as Buffer);
        });
        for (const { bytes, thenTurn } of all) {
          if (bytes <= stream.intake.window.credit) scene.receive(bytes, 3);
          if (thenTurn) await turn();
        }
        await turn();
        const whole = scene.received - (scene.received % size);
        expect(Buffer.concat(records).equals(scene.sent.subarray(0, whole))).toBe(true);
        scene.checkCredit(whole);
      }),
    );
  });
});

function sceneOfText(): { stream: YamuxStream; deliver: (text: string) => void } {
  const scene = new Scene();
  return { stream: scene.stream, deliver: (text) => scene.deliver(Buffer.from(text)) };
}

describe('a window', () => {
  /** Half a window arrives, as many times. */
  const receiveHalves = (scene: Scene, times: number): void => {
    for (let received = 0; received < times; received += 1) scene.receive(WINDOW / 2);
  };

  test('grows by what the budget has left, and the share returns when the stream is destroyed', () => {
    const scene = new Scene({ roundTrip: 20, budget: 1000 });
    scene.stream.resume();
    scene.stream.read(0);
    scene.clock.advance(20);
    receiveHalves(scene, 2);
    while (scene.stream.read() !== null);
    expect(scene.stream.intake.window.size).toBe(WINDOW + 1000);
    expect(scene.granted).toBe(WINDOW + 1000);
    expect(scene.measures).toBe(1);
    expect(scene.budget.used).toBe(1000);
    scene.stream.destroy();
    expect(scene.budget.used).toBe(0);
  });

  test('does not grow before the first round trip, nor for a reader that has paused', () => {
    for (const scene of [new Scene({ budget: WINDOW }), new Scene({ roundTrip: 20, budget: WINDOW })]) {
      if (scene.stream.readableFlowing === null) scene.stream.pause();
      scene.clock.advance(20);
      receiveHalves(scene, 2);
      scene.stream.read();
      expect(scene.granted).toBe(WINDOW);
      expect(scene.measures).toBe(0);
      expect(scene.stream.intake.window.growth).toBe(0);
    }
  });

  test("grows for a reader by 'readable', who is not paused", async () => {
    const scene = new Scene({ roundTrip: 20, budget: WINDOW });
    scene.stream.on('readable', () => scene.stream.read());
    scene.clock.advance(20);
    receiveHalves(scene, 2);
    await turn();
    expect(scene.stream.intake.window.growth).toBe(WINDOW);
  });
});

function bareIntake(): { intake: Intake; readable: Readable } {
  const readable = new Readable({ read: () => {} });
  const port = {
    clock: new ManualClock(),
    maxStreamWindow: WINDOW,
    windowBudget: new WindowBudget(0),
    roundTrip: () => undefined,
    measureRoundTrip: () => {},
  };
  return { intake: new Intake(readable, port), readable };
}

describe('drop()', () => {
  test('counts all that waits, and what arrives, as taken, once', () => {
    const { intake } = bareIntake();
    const { window } = intake;
    window.announce(3510);
    intake.deliver(Buffer.allocUnsafeSlow(3000));
    intake.deliver(Buffer.from('0123456789'));
    expect(intake.drop()).toBe(3010);
    expect(window.held).toBe(500);
    // What goes on arriving is credited half a window at a time, as ever.
    expect(intake.drop(500)).toBe(0);
    expect(intake.settle()).toBe(0);
    expect(window.held).toBe(0);
    expect(intake.received).toBe(3510);
    expect(window.credit).toBe(WINDOW - 500);
    window.announce(WINDOW / 2 - 500);
    expect(intake.drop(WINDOW / 2 - 500)).toBe(WINDOW / 2);
  });

  test('forgets the small payloads that wait: nothing of them is handed over any more', () => {
    const { intake, readable } = bareIntake();
    for (const text of ['first', 'second', 'third']) intake.deliver(Buffer.from(text));
    intake.drop();
    intake.flush();
    expect(String(readable.read())).toBe('first');
  });
});
