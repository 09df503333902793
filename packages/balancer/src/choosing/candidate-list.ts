// The sessions that may be picked now, in one dense array. With an order it is a binary heap: whoever is first stands at
// index 0, and a change of one session costs O(log n) whatever it was. Without an order it is a plain list.
import type { CandidateOrder } from './strategy.ts';

/** What the list reads of a candidate, and the one field that it writes. */
export interface Placed {
  readonly load: number;
  readonly turn: number;
  /** Its index in each list that it may stand in, -1 where it does not. */
  readonly places: [inPool: number, inGroup: number];
}

export type Before = (a: Placed, b: Placed) => boolean;

const ORDERS: Readonly<Record<CandidateOrder, Before>> = {
  'least-recent': (a, b) => a.turn < b.turn,
  'least-loaded': (a, b) => a.load < b.load || (a.load === b.load && a.turn < b.turn),
};

export function beforeOf(order: CandidateOrder | undefined): Before | undefined {
  return order === undefined ? undefined : ORDERS[order];
}

export class CandidateList<T extends Placed> {
  readonly #items: T[] = [];
  readonly #place: 0 | 1;
  readonly #before: Before | undefined;

  /** `place` says which of the two `places` of a candidate is this list's. */
  constructor(place: 0 | 1, before: Before | undefined) {
    this.#place = place;
    this.#before = before;
  }

  get length(): number {
    return this.#items.length;
  }

  at(index: number): T | undefined {
    return this.#items[index];
  }

  /** -1 if it is not in the list. */
  indexOf(item: T): number {
    const index = item.places[this.#place];
    return this.#items[index] === item ? index : -1;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  /** Puts the candidate where it belongs, whether it is new here or has changed. */
  put(item: T): void {
    let index = item.places[this.#place];
    if (index === -1) {
      index = this.#items.length;
      this.#items.push(item);
      item.places[this.#place] = index;
    }
    this.#settle(item, index);
  }

  delete(item: T): void {
    const index = item.places[this.#place];
    if (index === -1) return;
    item.places[this.#place] = -1;
    const last = this.#items.pop() as T;
    if (last !== item) this.#settle(last, index);
  }

  /** Moves `item` from the hole at `index` up or down, until nobody above it comes after it and nobody below before. */
  #settle(item: T, index: number): void {
    const items = this.#items;
    const place = this.#place;
    const before = this.#before;
    let hole = index;
    if (before !== undefined) {
      while (hole > 0) {
        const above = (hole - 1) >> 1;
        const parent = items[above] as T;
        if (!before(item, parent)) break;
        items[hole] = parent;
        parent.places[place] = hole;
        hole = above;
      }
      for (let below = 2 * hole + 1; below < items.length; below = 2 * hole + 1) {
        let child = items[below] as T;
        const sibling = items[below + 1];
        if (sibling !== undefined && before(sibling, child)) {
          below += 1;
          child = sibling;
        }
        if (!before(child, item)) break;
        items[hole] = child;
        child.places[place] = hole;
        hole = below;
      }
    }
    items[hole] = item;
    item.places[place] = hole;
  }
}
