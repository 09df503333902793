// How the application lets go of a stream: leave() after its own end, breakOff() in all other cases.

import { describe, expect, test } from 'vitest';
import { HALF_CLOSE_TIMEOUT, WINDOW, WireScene } from '../support/wire-scene.ts';

const write = (scene: WireScene, text: string): void => scene.wire.write(Buffer.from(text));

describe('leave()', () => {
  test('lets what was written and the FIN go out, in memory of its own, and no RST', () => {
    const scene = new WireScene();
    const written = Buffer.from('last words');
    scene.wire.write(written);
    scene.wire.leave();
    written.fill('x');
    expect(scene.said).toEqual(['released', 'wants turn']);
    expect(scene.giveTurns()).toEqual(['DATA last words', 'FIN']);
    expect(scene.said).toEqual(['released', 'wants turn']);
  });

  test('credits what waited, all of it, so that the peer comes to its own FIN', () => {
    const scene = new WireScene();
    scene.receive(1000);
    scene.wire.leave();
    expect(scene.said).toEqual(['released', 'credit +1000', 'wants turn']);
    expect(scene.wire.unreadBytes).toBe(0);
  });

  test('drops and credits what comes while the FIN is on its way, by halves of the window', () => {
    const scene = new WireScene();
    scene.wire.write(Buffer.alloc(2 * WINDOW));
    scene.wire.leave();
    scene.said.length = 0;
    scene.receive(1000);
    expect(scene.said).toEqual([]);
    scene.receive(WINDOW / 2 - 1000);
    expect(scene.said).toEqual([`credit +${WINDOW / 2}`]);
    expect(scene.wire.unreadBytes).toBe(0);
    expect(scene.told).toEqual([]);
  });

  test('answers data that comes behind the FIN by one RST', () => {
    const scene = new WireScene();
    scene.wire.leave();
    scene.giveTurns();
    scene.said.length = 0;
    scene.receive(10);
    scene.receive(10);
    expect(scene.said).toEqual(['RST 0', 'ended']);
  });

  test('ends with the FINs of both sides, without a word to the Duplex but that of its own', () => {
    const scene = new WireScene();
    scene.wire.leave();
    scene.giveTurns();
    scene.wire.receiveFin();
    expect(scene.said).toEqual(['released', 'wants turn', 'ended']);
    expect(scene.told).toEqual(['finished']);
  });

  test('of a stream that is over lets go of what waits', () => {
    const scene = new WireScene();
    scene.receive(10);
    scene.wire.receiveFin();
    scene.wire.finish();
    scene.giveTurns();
    scene.said.length = 0;
    scene.wire.leave();
    expect(scene.wire.unreadBytes).toBe(0);
    expect(scene.said).toEqual(['released']);
  });

  test('without credit for what was written resets when no byte moves for halfCloseTimeout', () => {
    const scene = new WireScene();
    scene.wire.write(Buffer.alloc(WINDOW + 1));
    scene.giveTurns();
    scene.wire.leave();
    scene.clock.advance(HALF_CLOSE_TIMEOUT - 1);
    expect(scene.said).not.toContain('RST 0');
    scene.clock.advance(1);
    expect(scene.said.slice(-2)).toEqual(['RST 0', 'ended']);
  });
});

describe('breakOff()', () => {
  test('resets at once with its code when nothing waits to be sent', () => {
    const scene = new WireScene();
    scene.receive(10);
    expect(scene.wire.breakOff(7)).toBe(true);
    expect(scene.said).toEqual(['released', 'RST 7', 'ended']);
    expect(scene.wire.unreadBytes).toBe(0);
  });

  test('sends what was written first, in memory of its own, and then RST with its code', () => {
    const scene = new WireScene();
    const written = Buffer.from('last words');
    scene.wire.write(written);
    expect(scene.wire.breakOff(7)).toBe(true);
    written.fill('x');
    expect(scene.said).toEqual(['released', 'wants turn']);
    expect(scene.giveTurns()).toEqual(['DATA last words', 'RST']);
    expect(scene.said).toEqual(['released', 'wants turn', 'RST 7', 'ended']);
  });

  test('sends as much as there is credit for, and says that this is not all', () => {
    const scene = new WireScene();
    scene.wire.write(Buffer.alloc(WINDOW - 5));
    scene.giveTurns(WINDOW);
    write(scene, '0123456789');
    expect(scene.wire.breakOff(0)).toBe(false);
    expect(scene.giveTurns()).toEqual(['DATA 01234', 'RST']);
  });

  test('without any credit resets at once', () => {
    const scene = new WireScene();
    scene.wire.write(Buffer.alloc(WINDOW + 1));
    scene.giveTurns(WINDOW);
    expect(scene.wire.breakOff(0)).toBe(false);
    expect(scene.said).toEqual(['released', 'RST 0', 'ended']);
    expect(scene.wire.sendQueue.length).toBe(0);
  });

  test('sends no FIN, although one was asked for', () => {
    const scene = new WireScene();
    write(scene, 'all');
    scene.wire.finish();
    scene.wire.breakOff(0);
    expect(scene.giveTurns().at(-1)).toBe('RST');
  });

  test('drops what comes while its last words wait: nobody gets it, and no credit is given', () => {
    const scene = new WireScene();
    write(scene, 'last words');
    scene.wire.breakOff(0);
    scene.receive(WINDOW);
    expect(scene.said).toEqual(['released', 'wants turn']);
    expect(scene.wire.unreadBytes).toBe(0);
  });

  test('keeps its code if the stream is expelled while its last words wait', () => {
    const scene = new WireScene();
    write(scene, 'last words');
    scene.wire.breakOff(7);
    scene.wire.expel(new Error('out of time'));
    expect(scene.said.slice(-2)).toEqual(['RST 7', 'ended']);
  });

  test('of a stream that is over lets go of what waits', () => {
    const scene = new WireScene();
    scene.receive(10);
    scene.wire.receiveFin();
    scene.wire.receiveReset(0);
    scene.said.length = 0;
    expect(scene.wire.breakOff(0)).toBe(false);
    expect(scene.said).toEqual(['released']);
    expect(scene.wire.unreadBytes).toBe(0);
  });
});

test('settleWrites() asks to tell the writer when nothing waits here any more', () => {
  const scene = new WireScene();
  write(scene, 'waits');
  scene.wire.settleWrites();
  expect(scene.said).toEqual([]);
  scene.giveTurns();
  scene.wire.settleWrites();
  expect(scene.said).toEqual(['handed over']);
});
