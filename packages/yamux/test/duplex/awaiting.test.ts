// A socket hears of bytes, of more bytes and of the end in reads of their own, between which all promises go on. So does a stream, though all of
// it may come in one chunk.

import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { StreamScene } from '../support/stream-scene.ts';
import { WINDOW } from '../support/wire-scene.ts';

describe("who awaits 'data'", () => {
  /** The first piece, of all that `receive` says in one go, as a chunk of the transport does. */
  async function awaited(scene: StreamScene, receive: () => void): Promise<string> {
    const first = once(scene.stream, 'data');
    setImmediate(receive);
    const [piece] = (await first) as [Buffer];
    return String(piece);
  }

  test('can listen for the end that came in the same chunk', async () => {
    const scene = new StreamScene();
    const { stream, wire } = scene;
    // Another listener changes nothing.
    stream.on('data', () => {});
    const piece = await awaited(scene, () => {
      wire.receiveData(Buffer.from('answer'));
      wire.receiveFin();
    });
    expect([piece, scene.events]).toEqual(['answer', []]);
    await turn();
    expect(scene.events).toEqual(['end']);
  });

  test('can await what came behind it in the same chunk', async () => {
    const scene = new StreamScene();
    const { stream, wire } = scene;
    const pieces = [
      await awaited(scene, () => {
        wire.receiveData(Buffer.from('one'));
        wire.receiveData(Buffer.from('two'));
        wire.receiveFin();
      }),
    ];
    stream.on('data', (piece: Buffer) => pieces.push(String(piece)));
    await turn();
    await turn();
    expect([pieces, scene.events]).toEqual([['one', 'two'], ['end']]);
  });

  test('gets every piece, however many came in one chunk', async () => {
    const scene = new StreamScene();
    const pieces: Buffer[] = [];
    setImmediate(() => {
      for (const bytes of [3000, 3000, 70_000, 3000]) scene.receive(bytes);
    });
    while (scene.received === 0 || Buffer.concat(pieces).length < scene.received) {
      pieces.push(((await once(scene.stream, 'data')) as [Buffer])[0]);
    }
    expect(Buffer.concat(pieces).equals(scene.sent)).toBe(true);
  });

  test('can put it back, though the end came with it', async () => {
    const scene = new StreamScene();
    const { stream, wire } = scene;
    await awaited(scene, () => {
      wire.receiveData(Buffer.from('head'));
      wire.receiveFin();
    });
    stream.pause();
    stream.unshift(Buffer.from('head'));
    await turn();
    expect(String(stream.read())).toBe('head');
    await turn();
    expect(scene.events).toEqual(['end']);
  });

  test('and listens no more lets the rest go, and its credit back', async () => {
    const scene = new StreamScene();
    const { stream, wire } = scene;
    await awaited(scene, () => {
      scene.receive(1);
      scene.receive(WINDOW / 2);
    });
    expect([stream.readableFlowing, wire.unreadBytes]).toEqual([true, WINDOW / 2]);
    await turn();
    expect([wire.unreadBytes, scene.granted]).toEqual([0, WINDOW / 2]);
  });
});
