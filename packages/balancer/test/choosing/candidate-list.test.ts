import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beforeOf, CandidateList, type Placed } from '../../src/choosing/candidate-list.ts';

interface Item extends Placed {
  load: number;
  turn: number;
}

const item = (turn: number, load = 0): Item => ({ turn, load, places: [-1, -1] });

const change = fc.record({ index: fc.nat(15), load: fc.nat(3), turn: fc.nat(1000), leaves: fc.boolean() });

describe('CandidateList', () => {
  it.each(['least-recent', 'least-loaded'] as const)(
    'keeps the first of the order %s at index 0 and every place true, whatever changes',
    (order) => {
      const before = beforeOf(order);
      if (before === undefined) throw new Error('no order');
      fc.assert(
        fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
          const items = Array.from({ length: 16 }, (_, index) => item(index));
          const list = new CandidateList<Item>(1, before);
          const inside = new Set<Item>();
          for (const { index, load, turn, leaves } of changes) {
            const changed = items[index] as Item;
            changed.load = load;
            changed.turn = turn;
            if (leaves) {
              list.delete(changed);
              inside.delete(changed);
            } else {
              list.put(changed);
              inside.add(changed);
            }
            expect(new Set(list)).toEqual(inside);
            expect(list.length).toBe(inside.size);
            for (const one of items) {
              expect(one.places[0]).toBe(-1);
              if (inside.has(one)) expect(list.at(one.places[1])).toBe(one);
              else expect(one.places[1]).toBe(-1);
            }
            const first = list.at(0);
            if (first !== undefined) expect([...inside].some((other) => before(other, first))).toBe(false);
          }
        }),
      );
    },
  );

  it('is a plain dense list without an order', () => {
    const list = new CandidateList<Item>(0, beforeOf(undefined));
    const [a, b, c] = [item(3), item(2), item(1)];
    list.put(a);
    list.put(b);
    list.put(c);
    list.delete(a);
    expect([...list]).toEqual([c, b]);
    expect(c.places).toEqual([0, -1]);
  });

  it('puts a candidate that is in the list already nowhere twice', () => {
    const list = new CandidateList<Item>(0, beforeOf('least-recent'));
    const only = item(1);
    list.put(only);
    only.turn = 5;
    list.put(only);
    expect([...list]).toEqual([only]);
  });
});
