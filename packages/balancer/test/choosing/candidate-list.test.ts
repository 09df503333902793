import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beforeOf, CandidateList, type Place, type Placed } from '../../src/choosing/candidate-list.ts';

interface Item extends Placed {
  load: number;
  turn: number;
}

function placed(list: CandidateList<Item>, turn: number): Item {
  const item: Item = { turn, load: 0, places: [] };
  item.places.push(list.placeFor(item));
  return item;
}

const placeOf = ({ places }: Item): Place => places[0] as Place;
const all = (list: CandidateList<Item>): (Item | undefined)[] =>
  Array.from({ length: list.length }, (_, index) => list.at(index));

const change = fc.record({ index: fc.nat(15), load: fc.nat(3), turn: fc.nat(1000), leaves: fc.boolean() });

describe('CandidateList', () => {
  it.each(['least-recent', 'least-loaded'] as const)(
    'keeps the first of the order %s at index 0 and every place true, whatever changes',
    (order) => {
      const before = beforeOf(order);
      if (before === undefined) throw new Error('no order');
      fc.assert(
        fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
          const list = new CandidateList<Item>(before);
          const items = Array.from({ length: 16 }, (_, index) => placed(list, index));
          const inside = new Set<Item>();
          for (const { index, load, turn, leaves } of changes) {
            const changed = items[index] as Item;
            changed.load = load;
            changed.turn = turn;
            if (leaves) {
              list.delete(placeOf(changed));
              inside.delete(changed);
            } else {
              list.put(placeOf(changed));
              inside.add(changed);
            }
            expect(new Set(all(list))).toEqual(inside);
            expect(list.length).toBe(inside.size);
            for (const one of items) {
              const { index } = placeOf(one);
              expect(list.indexOf(one)).toBe(index);
              if (inside.has(one)) expect(list.at(index)).toBe(one);
              else expect(index).toBe(-1);
            }
            const first = list.at(0);
            if (first !== undefined) expect([...inside].some((other) => before(other, first))).toBe(false);
          }
        }),
      );
    },
  );

  it('is a plain dense list without an order', () => {
    const list = new CandidateList<Item>(beforeOf(undefined));
    const [a, b, c] = [placed(list, 3), placed(list, 2), placed(list, 1)];
    for (const one of [a, b, c]) list.put(placeOf(one));
    list.delete(placeOf(a));
    expect(all(list)).toEqual([c, b]);
    expect([a, b, c].map((one) => list.indexOf(one))).toEqual([-1, 1, 0]);
  });

  it('puts a candidate that is in the list already nowhere twice', () => {
    const list = new CandidateList<Item>(beforeOf('least-recent'));
    const only = placed(list, 1);
    list.put(placeOf(only));
    only.turn = 5;
    list.put(placeOf(only));
    expect(all(list)).toEqual([only]);
  });

  it('knows its own place of a candidate that stands in several lists', () => {
    const [one, other] = [new CandidateList<Item>(undefined), new CandidateList<Item>(undefined)];
    const [a, b] = [placed(one, 1), placed(one, 2)];
    b.places.push(other.placeFor(b));
    for (const item of [a, b]) one.put(placeOf(item));
    other.put(b.places[1] as Place);
    expect([one.indexOf(b), other.indexOf(b), other.indexOf(a)]).toEqual([1, 0, -1]);
  });
});
