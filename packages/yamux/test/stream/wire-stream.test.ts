// The life of one wire stream between a scripted session and a scripted Duplex. Credit and memory, time, and how the application lets go
// of it are in files of their own.

import { describe, expect, test } from 'vitest';
import { WINDOW, WireScene, type WireSceneOptions } from '../support/wire-scene.ts';

const write = (scene: WireScene, text: string): void => scene.wire.write(Buffer.from(text));

describe('a stream that is not opened yet', () => {
  const connecting = (): WireScene => new WireScene({ id: 0 });

  test('keeps what is written, and its FIN, until it has an id', () => {
    const scene = connecting();
    write(scene, 'early');
    scene.wire.finish();
    scene.wire.askForTurn();
    expect(scene.said).toEqual([]);
    scene.wire.id = 3;
    scene.wire.askForTurn();
    expect(scene.said).toEqual(['wants turn']);
    expect(scene.giveTurns()).toEqual(['DATA early', 'FIN']);
  });

  test('ends without a RST when it is broken off: the peer never heard of it', () => {
    const scene = connecting();
    expect(scene.wire.breakOff(5)).toBe(true);
    expect(scene.said).toEqual(['released', 'ended']);
    expect(scene.wire.lifecycle.state).toBe('reset');
  });

  test('says that what was written is not sent when it is broken off', () => {
    const scene = connecting();
    write(scene, 'early');
    expect(scene.wire.breakOff(0)).toBe(false);
    expect(scene.wire.sendQueue.length).toBe(0);
  });

  test('ends without a RST when it is expelled, and its Duplex hears why', () => {
    const scene = connecting();
    write(scene, 'early');
    scene.wire.expel(new Error('refused'));
    expect(scene.said).toEqual(['ended']);
    expect(scene.told).toEqual(['failed refused']);
  });
});

describe('sending', () => {
  test('is asked for with the credit of the peer alone, and again when there is more', () => {
    const scene = new WireScene();
    scene.wire.write(Buffer.alloc(WINDOW + 5));
    expect(scene.wire.sendableBytes).toBe(WINDOW);
    scene.giveTurns(WINDOW);
    expect([scene.wire.sendableBytes, scene.wire.sendCredit, scene.wire.bytesSent]).toEqual([0, 0, WINDOW]);
    expect(scene.wire.receiveCredit(3)).toBe(true);
    expect(scene.said).toEqual(['wants turn']);
    expect(scene.wire.sendableBytes).toBe(3);
  });

  test('asks for no turn when credit comes and nothing waits', () => {
    const scene = new WireScene();
    scene.wire.receiveCredit(3);
    expect(scene.said).toEqual([]);
    expect(scene.wire.sendCredit).toBe(WINDOW + 3);
  });

  test('refuses credit that would raise the window above 2^32-1', () => {
    const scene = new WireScene();
    expect(scene.wire.receiveCredit(0xffff_ffff - WINDOW)).toBe(true);
    expect(scene.wire.receiveCredit(1)).toBe(false);
  });

  test('has the FIN due only behind the last byte, and once', () => {
    const scene = new WireScene();
    write(scene, 'last');
    scene.wire.finish();
    expect(scene.wire.isFinDue).toBe(false);
    expect(scene.giveTurns(3)).toEqual(['DATA las', 'DATA t', 'FIN']);
    expect(scene.told).toEqual(['finished']);
    expect(scene.wire.isFinDue).toBe(false);
    expect(scene.wire.lifecycle.state).toBe('half-closed-local');
  });

  test("still reads from the writer's memory until the transport has taken what was handed over in it", () => {
    const scene = new WireScene();
    expect(scene.wire.isReferenced).toBe(false);
    scene.wire.referencedUntil = 100;
    scene.bytesTaken = 99;
    expect(scene.wire.isReferenced).toBe(true);
    scene.bytesTaken = 100;
    expect(scene.wire.isReferenced).toBe(false);
  });
});

describe('an answer of the peer', () => {
  test('is told once, to the session first', () => {
    const scene = new WireScene();
    scene.wire.acknowledge();
    scene.wire.acknowledge();
    expect(scene.said).toEqual(['acknowledged']);
    expect(scene.told).toEqual(['answered']);
  });

  test('on a stream of the peer is our own ACK: nobody is told', () => {
    const scene = new WireScene({ direction: 'inbound' });
    scene.wire.acknowledge();
    expect(scene.wire.isAcknowledged).toBe(true);
    expect([...scene.said, ...scene.told]).toEqual([]);
  });
});

describe("the peer's FIN", () => {
  test('makes the input whole, once, and leaves our side open', () => {
    const scene = new WireScene();
    scene.wire.receiveFin();
    scene.wire.receiveFin();
    expect(scene.told).toEqual(['arrived']);
    expect(scene.said).toEqual([]);
    expect(scene.wire.isInputWhole).toBe(true);
    expect(scene.wire.lifecycle.state).toBe('half-closed-remote');
  });

  test('behind our own ends the stream; what waits stays', () => {
    const scene = new WireScene();
    scene.receive(10);
    scene.wire.finish();
    scene.giveTurns();
    scene.wire.receiveFin();
    expect(scene.wire.lifecycle.state).toBe('closed');
    expect(scene.said).toEqual(['ended']);
    expect(scene.take().length).toBe(10);
  });

  test('before our own: the stream ends with ours', () => {
    const scene = new WireScene();
    scene.wire.receiveFin();
    scene.wire.finish();
    expect(scene.said).toEqual([]);
    scene.giveTurns();
    expect(scene.wire.lifecycle.state).toBe('closed');
    expect(scene.said).toEqual(['ended']);
  });
});

describe("the peer's RST", () => {
  test('ends the stream at once: what waits in either direction is gone', () => {
    const scene = new WireScene();
    scene.receive(10);
    write(scene, 'unsent');
    scene.wire.receiveReset(7);
    expect(scene.wire.lifecycle.state).toBe('reset');
    expect([scene.wire.unreadBytes, scene.wire.sendQueue.length]).toEqual([0, 0]);
    expect(scene.told).toEqual(['arrived', 'failed ERR_YAMUX_STREAM_RESET']);
    expect(scene.said).toEqual(['ended']);
  });

  test('after its FIN keeps what is whole', () => {
    const scene = new WireScene();
    scene.receive(10);
    scene.wire.receiveFin();
    write(scene, 'unsent');
    scene.wire.receiveReset(0);
    expect(scene.wire.sendQueue.length).toBe(0);
    expect(scene.take().length).toBe(10);
    expect(scene.told.at(-1)).toBe('failed ERR_YAMUX_STREAM_RESET');
  });

  test('in the backlog keeps nothing, whole or not: nobody will get it', () => {
    const scene = new WireScene({ direction: 'inbound', hasFace: false });
    scene.receive(10);
    scene.wire.receiveFin();
    scene.wire.receiveReset(0);
    expect(scene.wire.unreadBytes).toBe(0);
    expect(scene.wire.isReleased).toBe(true);
    expect(scene.clock.pending).toBe(0);
  });

  test.each<[string, WireSceneOptions, (scene: WireScene) => void, boolean]>([
    ['a stream of ours that the peer has not answered', {}, () => {}, true],
    ['one that it has answered', {}, ({ wire }) => wire.acknowledge(), false],
    ["one of the peer's own", { direction: 'inbound' }, () => {}, false],
  ])('of %s says whether it was refused, with its code', (_which, options, before, refused) => {
    const scene = new WireScene(options);
    const errors: Error[] = [];
    scene.failed = (error) => void errors.push(error);
    before(scene);
    scene.wire.receiveReset(7);
    expect(errors).toMatchObject([{ errorCode: 7, refused }]);
  });

  test('a second time, and all that comes behind it, changes nothing', () => {
    const scene = new WireScene();
    scene.wire.receiveReset(0);
    const [said, told] = [[...scene.said], [...scene.told]];
    scene.wire.receiveReset(0);
    scene.wire.receiveFin();
    scene.wire.receiveData(Buffer.from('late'));
    scene.wire.violated('late');
    scene.wire.expel(new Error('late'));
    scene.wire.sessionEnded(new Error('late'));
    expect([scene.said, scene.told]).toEqual([said, told]);
    expect(scene.wire.unreadBytes).toBe(0);
  });
});

describe('a rapid reset', () => {
  const inbound = { direction: 'inbound' } as const;

  test("is one of a stream of the peer's on which nothing was sent", () => {
    const scene = new WireScene(inbound);
    scene.wire.receiveReset(0);
    expect(scene.said).toEqual(['rapidly reset', 'ended']);
  });

  test('is a broken rule as well: it ends a stream as fast', () => {
    const scene = new WireScene(inbound);
    scene.wire.violated('late data');
    expect(scene.said).toEqual(['rapidly reset', 'RST 0', 'ended']);
    expect(scene.told).toEqual(['failed ERR_YAMUX_STREAM_PROTOCOL']);
  });

  test('is none when something was sent, on a stream of ours, or by this end', () => {
    const answered = new WireScene(inbound);
    write(answered, 'answer');
    answered.giveTurns();
    answered.wire.receiveReset(0);
    const ours = new WireScene();
    ours.wire.receiveReset(0);
    const broken = new WireScene(inbound);
    broken.wire.breakOff(0);
    for (const { said } of [answered, ours, broken]) expect(said).not.toContain('rapidly reset');
  });
});

describe('a broken rule of the stream', () => {
  test('takes what was whole: more came than whole', () => {
    const scene = new WireScene();
    scene.receive(10);
    scene.wire.receiveFin();
    scene.wire.violated('10 bytes after the FIN');
    expect([scene.wire.isInputWhole, scene.wire.unreadBytes]).toEqual([false, 0]);
  });
});

test('the end of the session ends each stream with its cause; what is whole stays', () => {
  const [cut, whole] = [new WireScene(), new WireScene()];
  for (const { wire } of [cut, whole]) wire.window.announce(10);
  for (const { wire } of [cut, whole]) wire.receiveData(Buffer.alloc(10));
  whole.wire.receiveFin();
  for (const { wire } of [cut, whole]) wire.sessionEnded(new Error('over'));
  expect([cut.wire.unreadBytes, whole.wire.unreadBytes]).toEqual([0, 10]);
  for (const { said, told } of [cut, whole]) {
    expect(said).toEqual(['ended']);
    expect(told.at(-1)).toBe('failed over');
  }
});
