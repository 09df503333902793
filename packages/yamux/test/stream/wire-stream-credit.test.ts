// What a wire stream holds for the application, when it gives the peer credit for it, and what of the budget it keeps.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numbered, WINDOW, WireScene } from '../support/wire-scene.ts';

const HALF = WINDOW / 2;

const sliceBytes = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 50 }) },
  fc.integer({ min: 1, max: 9000 }),
  fc.integer({ min: 1, max: 150_000 }),
);

describe('credit', () => {
  test('comes back for what was taken, when it is half a window', () => {
    const scene = new WireScene();
    scene.receive(HALF - 1);
    scene.receive(1);
    expect(scene.said).toEqual([]);
    scene.take(2);
    expect(scene.said).toEqual([]);
    scene.take(1);
    expect(scene.said).toEqual([`credit +${HALF}`]);
  });

  test('comes back as two halves for a whole window that waited, which is taken in pieces of at most 64 KiB', () => {
    const scene = new WireScene();
    scene.receive(WINDOW);
    scene.take(1);
    expect(scene.said).toEqual([]);
    scene.take(1);
    expect(scene.said).toEqual([`credit +${HALF}`]);
    scene.take(1);
    expect(scene.said).toEqual([`credit +${HALF}`]);
    scene.take(1);
    expect(scene.said).toEqual([`credit +${HALF}`, `credit +${HALF}`]);
    expect(scene.wire.unreadBytes).toBe(0);
  });

  test('does not come back on receipt, however long nobody takes', () => {
    const scene = new WireScene();
    for (let slices = 0; slices < 4; slices += 1) scene.receive(WINDOW / 4);
    scene.clock.advance(600_000);
    expect(scene.said).toEqual([]);
    expect(scene.wire.unreadBytes).toBe(WINDOW);
  });

  test('comes back for what goes straight to an application that flows', () => {
    const scene = new WireScene();
    scene.isFlowing = true;
    scene.receive(HALF);
    expect(scene.said).toEqual([`credit +${HALF}`]);
    expect(scene.wire.unreadBytes).toBe(0);
  });

  test('is there before the application gets the slice: what it does with it may end the stream', () => {
    const scene = new WireScene();
    scene.isFlowing = true;
    let saidBefore: string[] = [];
    scene.deliver = () => {
      saidBefore = [...scene.said];
    };
    scene.receive(HALF);
    expect(saidBefore).toEqual([`credit +${HALF}`]);
  });

  test('is not given after the FIN, nor after the end', () => {
    const scene = new WireScene();
    scene.receive(HALF);
    scene.wire.receiveFin();
    scene.take();
    expect(scene.said).toEqual([]);
  });

  test('is given in whole halves and never for more than was taken, and what is taken is what came, however it is read', () => {
    const receive = fc.record({
      kind: fc.constant('receive' as const),
      bytes: sliceBytes,
      share: fc.constantFrom(1, 2, 7, 30),
    });
    const take = fc.record({ kind: fc.constant('take' as const), pieces: fc.integer({ min: 1, max: 5 }) });
    const other = fc.record({
      kind: fc.constantFrom('flow' as const, 'pause' as const, 'time' as const, 'path' as const, 'hold' as const),
    });
    const steps = fc.array(fc.oneof({ weight: 4, arbitrary: receive }, { weight: 2, arbitrary: take }, other), {
      maxLength: 60,
    });
    const anyPath = fc.constantFrom({}, { roundTrip: 10, budget: 100_000 }, { roundTrip: 10, budget: Infinity });
    fc.assert(
      fc.property(anyPath, steps, (options, all) => {
        const scene = new WireScene(options);
        const { wire } = scene;
        const taken: Buffer[] = [];
        scene.deliver = (slice) => void taken.push(slice);
        for (const step of all) {
          if (step.kind === 'receive') {
            if (step.bytes <= wire.window.credit) scene.receive(step.bytes, step.share);
          } else if (step.kind === 'take') taken.push(scene.take(step.pieces));
          else if (step.kind === 'time') scene.clock.advance(15);
          else if (step.kind === 'path') scene.roundTrip = scene.roundTrip === 10 ? 1 : scene.roundTrip && 10;
          else if (step.kind === 'hold') scene.hasPausedReader = !scene.hasPausedReader;
          else scene.isFlowing = step.kind === 'flow';
          const takenBytes = taken.reduce((sum, { length }) => sum + length, 0);
          const { size, credit, held, growth } = wire.window;
          expect(wire.bytesReceived).toBe(scene.received);
          expect(wire.unreadBytes).toBe(scene.received - takenBytes);
          expect(held).toBe(wire.unreadBytes);
          expect(credit).toBe(WINDOW - scene.received + scene.granted);
          expect(scene.granted).toBeLessThanOrEqual(takenBytes + growth);
          expect(takenBytes + growth - scene.granted).toBeLessThan(size / 2);
          expect(scene.budget.used).toBe(growth);
        }
        wire.receiveFin();
        taken.push(scene.take());
        expect(scene.budget.used).toBe(0);
        expect(Buffer.concat(taken).equals(numbered(0, scene.received))).toBe(true);
      }),
    );
  });
});

describe('what arrives', () => {
  test('goes uncopied to an application that flows, however small it is', () => {
    const scene = new WireScene();
    scene.isFlowing = true;
    const slices = [scene.receive(1, 100), scene.receive(5000), scene.receive(10, 100)];
    expect(scene.delivered.map((slice) => slices.indexOf(slice))).toEqual([0, 1, 2]);
    expect(scene.told).toEqual(['deliver 1', 'deliver 5000', 'deliver 10']);
  });

  test('waits behind what waits already, although the application flows', () => {
    const scene = new WireScene();
    scene.receive(10);
    scene.isFlowing = true;
    scene.receive(10);
    expect(scene.told).toEqual(['arrived', 'arrived']);
    expect(scene.take().equals(numbered(0, 20))).toBe(true);
  });

  test('waits while the stream is in the backlog, and pins nothing of the chunks that it came in', () => {
    const scene = new WireScene({ direction: 'inbound', hasFace: false });
    const chunks = Array.from({ length: 20_000 }, () => scene.receive(1, 2));
    expect(scene.wire.unreadBytes).toBe(20_000);
    const pieces: Buffer[] = [];
    for (let piece = scene.wire.take(); piece; piece = scene.wire.take()) pieces.push(piece);
    expect(pieces.length).toBeLessThanOrEqual(6);
    const memory = new Set(pieces.map(({ buffer }) => buffer));
    expect(chunks.some(({ buffer }) => memory.has(buffer))).toBe(false);
    expect([...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThanOrEqual(2 * 20_000 + 4096);
  });

  test('counts as moved, each slice', () => {
    const scene = new WireScene();
    scene.receive(10);
    scene.receive(10);
    expect(scene.moves).toBe(2);
    expect(scene.wire.bytesReceived).toBe(20);
  });
});

describe("the window's share of the budget", () => {
  /** A stream whose window has grown by a whole window, and that the application has read to here. */
  function grown(): WireScene {
    const scene = new WireScene({ roundTrip: 20, budget: 10 * WINDOW });
    scene.clock.advance(20);
    scene.receive(WINDOW);
    scene.take();
    if (scene.budget.used !== WINDOW) throw new Error('the window has not grown');
    scene.said.length = 0;
    return scene;
  }

  test('is what the window grows by, as far as the budget goes, and the path is measured once more', () => {
    const scene = new WireScene({ roundTrip: 20, budget: 1000 });
    scene.clock.advance(20);
    scene.receive(WINDOW);
    scene.take();
    expect(scene.said).toEqual([`credit +${HALF}`, 'measure', `credit +${HALF + 1000}`]);
    expect(scene.wire.window.size).toBe(WINDOW + 1000);
    expect(scene.budget.used).toBe(1000);
  });

  test('is nothing before the first round trip', () => {
    const scene = new WireScene({ budget: WINDOW });
    scene.clock.advance(20);
    scene.receive(WINDOW);
    scene.take();
    expect(scene.said).toEqual([`credit +${HALF}`, `credit +${HALF}`]);
    expect(scene.budget.used).toBe(0);
  });

  test('is nothing while nobody takes', () => {
    const scene = new WireScene({ roundTrip: 20, budget: WINDOW });
    scene.clock.advance(20);
    scene.receive(WINDOW);
    expect(scene.budget.used).toBe(0);
  });

  test('is nothing while the reader has paused, and the path is not measured; it is as before when the reader goes on', () => {
    const scene = new WireScene({ roundTrip: 20, budget: WINDOW });
    scene.hasPausedReader = true;
    scene.clock.advance(20);
    scene.receive(WINDOW);
    scene.take();
    expect(scene.said).toEqual([`credit +${HALF}`, `credit +${HALF}`]);
    expect(scene.budget.used).toBe(0);
    scene.hasPausedReader = false;
    scene.receive(HALF);
    scene.take();
    expect(scene.said.slice(2)).toEqual(['measure', `credit +${HALF + WINDOW}`]);
    expect(scene.budget.used).toBe(WINDOW);
  });

  test('stays while the reader has paused, also when the path has become shorter', () => {
    const scene = grown();
    scene.hasPausedReader = true;
    scene.roundTrip = 1;
    scene.clock.advance(50);
    scene.receive(2 * WINDOW);
    scene.take();
    expect(scene.wire.window.size).toBe(2 * WINDOW);
    expect(scene.budget.used).toBe(WINDOW);
  });

  test('is given back by as much as the window shrinks when the path has become shorter', () => {
    const scene = grown();
    scene.roundTrip = 1;
    scene.clock.advance(50);
    scene.receive(2 * WINDOW);
    scene.take();
    expect(scene.wire.window.size).toBe(WINDOW);
    expect(scene.budget.used).toBe(0);
    expect(scene.wire.window.credit).toBe(WINDOW);
  });

  test('returns with the FIN, if nothing waits', () => {
    const scene = grown();
    scene.wire.receiveFin();
    expect(scene.budget.used).toBe(0);
  });

  test('stays with the FIN for what waits beyond the first window, and returns as that is taken', () => {
    const scene = grown();
    for (let slices = 0; slices < 4; slices += 1) scene.receive(WINDOW / 2);
    scene.wire.receiveFin();
    expect(scene.budget.used).toBe(WINDOW);
    scene.take(2);
    expect(scene.budget.used).toBe(WINDOW / 2);
    scene.take(2);
    expect(scene.budget.used).toBe(0);
    scene.take();
    expect(scene.budget.used).toBe(0);
  });

  test('that is more than what waits needs returns with the FIN', () => {
    const scene = grown();
    scene.receive(WINDOW + 1000);
    scene.wire.receiveFin();
    expect(scene.budget.used).toBe(1000);
  });

  test.each<[string, (scene: WireScene) => void]>([
    ['the peer resets it', ({ wire }) => wire.receiveReset(0)],
    ['the application breaks it off', ({ wire }) => wire.breakOff(0)],
    ['it is expelled', ({ wire }) => wire.expel(new Error('out'))],
    ['the peer breaks a rule of the stream', ({ wire }) => wire.violated('late')],
    ['the session ends', ({ wire }) => wire.sessionEnded(new Error('over'))],
  ])('returns at once when %s, and so does what waited', (_how, end) => {
    const scene = grown();
    scene.receive(WINDOW + 1000);
    end(scene);
    expect(scene.budget.used).toBe(0);
    expect(scene.wire.unreadBytes).toBe(0);
    expect(scene.wire.take()).toBeUndefined();
  });

  test('returns with an end of the session, also for what is whole and may still be read', () => {
    const scene = grown();
    scene.receive(2 * WINDOW);
    scene.wire.receiveFin();
    scene.wire.sessionEnded(new Error('over'));
    expect(scene.budget.used).toBe(0);
    expect(scene.wire.unreadBytes).toBe(2 * WINDOW);
    scene.take();
    scene.wire.leave();
    expect(scene.budget.used).toBe(0);
  });

  test('of a stream that was reset after its FIN stays for what waits, until the application lets go of it', () => {
    const scene = grown();
    scene.receive(2 * WINDOW);
    scene.wire.receiveFin();
    scene.wire.receiveReset(0);
    expect(scene.budget.used).toBe(WINDOW);
    scene.wire.leave();
    expect(scene.budget.used).toBe(0);
    expect(scene.wire.unreadBytes).toBe(0);
  });

  test('of a stream that is left stays while the peer may use the window, and returns with the end', () => {
    const scene = grown();
    scene.wire.leave();
    expect(scene.budget.used).toBe(WINDOW);
    scene.giveTurns();
    scene.wire.receiveFin();
    expect(scene.budget.used).toBe(0);
  });
});
