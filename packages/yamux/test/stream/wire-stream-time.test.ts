// What a wire stream makes of time: halfCloseTimeout, from our own end on.

import { describe, expect, test } from 'vitest';
import { HALF_CLOSE_TIMEOUT, WireScene } from '../support/wire-scene.ts';

describe('halfCloseTimeout', () => {
  test("does not begin with the peer's FIN alone", () => {
    const scene = new WireScene();
    scene.wire.receiveFin();
    expect(scene.clock.pending).toBe(0);
  });

  test('does not begin when our end is only asked for', () => {
    const scene = new WireScene();
    scene.wire.finish();
    expect(scene.clock.pending).toBe(0);
  });

  test('begins with our own FIN, and resets with an error when no byte moved for so long', () => {
    const scene = new WireScene();
    const errors: Error[] = [];
    scene.failed = (error) => void errors.push(error);
    scene.receive(10);
    scene.wire.finish();
    scene.giveTurns();
    scene.clock.advance(HALF_CLOSE_TIMEOUT - 1);
    expect(errors).toEqual([]);
    scene.clock.advance(1);
    expect(scene.said).toEqual(['RST 0', 'ended']);
    expect(errors).toMatchObject([{ code: 'ERR_YAMUX_HALF_CLOSE_TIMEOUT', scope: 'stream', origin: 'local' }]);
    expect(scene.wire.unreadBytes).toBe(0);
    expect(scene.clock.pending).toBe(0);
  });

  test.each<[string, (scene: WireScene) => void]>([
    ['arrives', (scene) => void scene.receive(1)],
    ['is taken by the application', (scene) => void scene.take(1)],
  ])('begins anew when a byte %s', (_how, move) => {
    const scene = new WireScene();
    scene.receive(10);
    scene.wire.finish();
    scene.giveTurns();
    scene.clock.advance(HALF_CLOSE_TIMEOUT - 1);
    move(scene);
    scene.clock.advance(HALF_CLOSE_TIMEOUT - 1);
    expect(scene.said).toEqual([]);
    scene.clock.advance(1);
    expect(scene.said).toEqual(['RST 0', 'ended']);
  });

  test("ends with the peer's FIN", () => {
    const scene = new WireScene();
    scene.wire.finish();
    scene.giveTurns();
    scene.wire.receiveFin();
    expect(scene.clock.pending).toBe(0);
  });

  test('of 0 arms nothing', () => {
    const scene = new WireScene({ halfCloseTimeout: 0 });
    scene.wire.finish();
    scene.giveTurns();
    expect(scene.clock.pending).toBe(0);
    const left = new WireScene({ halfCloseTimeout: 0 });
    left.wire.leave();
    expect(left.clock.pending).toBe(0);
  });
});

describe('what is whole when the stream is over', () => {
  /** The peer has ended and reset, or the session is gone, and 10 bytes wait in two pieces. */
  function over(): WireScene {
    const scene = new WireScene();
    scene.receive(5000);
    scene.receive(5000);
    scene.wire.receiveFin();
    scene.wire.sessionEnded(new Error('over'));
    scene.told.length = 0;
    return scene;
  }

  test('waits for its reader for ever, with no timer', () => {
    const scene = over();
    expect(scene.clock.pending).toBe(0);
    expect(scene.wire.unreadBytes).toBe(10_000);
  });

  test('is given up with the cause when a write waits behind it and nobody takes of it for halfCloseTimeout', () => {
    const scene = over();
    scene.wire.lingerFor(new Error('over'));
    scene.clock.advance(HALF_CLOSE_TIMEOUT - 1);
    expect(scene.told).toEqual([]);
    scene.clock.advance(1);
    expect(scene.told).toEqual(['gave up over']);
    expect(scene.wire.unreadBytes).toBe(0);
    expect(scene.clock.pending).toBe(0);
  });

  test('has as long again whenever something is taken', () => {
    const scene = over();
    scene.wire.lingerFor(new Error('over'));
    scene.clock.advance(HALF_CLOSE_TIMEOUT - 1);
    expect(scene.take(1).length).toBe(5000);
    scene.clock.advance(HALF_CLOSE_TIMEOUT - 1);
    expect(scene.told).toEqual([]);
    scene.clock.advance(1);
    expect(scene.told).toEqual(['gave up over']);
  });

  test('leaves no timer when the application lets go of it', () => {
    for (const letGo of ['leave', 'breakOff'] as const) {
      const scene = over();
      scene.wire.lingerFor(new Error('over'));
      scene.take();
      scene.wire[letGo](0);
      expect(scene.clock.pending, letGo).toBe(0);
    }
  });
});
