import { expect, test } from 'vitest';
import { NextTurn } from '../src/next-turn.ts';
import { settle } from './support/duplex-pair.ts';

test('work is done in the next turn, in the order in which it was added, and all of it before any promise goes on', async () => {
  const events: string[] = [];
  const turn = new NextTurn<string>((item) => {
    events.push(item);
    if (item === 'first') turn.add('third');
    queueMicrotask(() => events.push(`promise of ${item}`));
  });
  turn.add('first');
  turn.add('second');
  expect(events).toEqual([]);
  await settle();
  expect(events).toEqual(['first', 'second', 'promise of first', 'promise of second', 'third', 'promise of third']);
});
