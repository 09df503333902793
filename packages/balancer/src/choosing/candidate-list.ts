// The sessions that may be picked now, in one dense array. With an order it is a binary heap: whoever is first stands at
// index 0, and a change of one session costs O(log n) whatever it was. Without an order it is a plain list.
import type { CandidateOrder } from './strategy.ts';

/** What the list reads of a candidate, and where it writes down its place. */
export interface Placed {
  readonly load: number;
  readonly turn: number;
  /** One for each list that the candidate may stand in. */
  readonly places: Place[];
}

/** Where one candidate stands in one list. */
export class Place {
  readonly list: CandidateList<Placed>;
  readonly item: Placed;
  /** -1 where it does not stand in the list. */
  index = -1;

  constructor(list: CandidateList<Placed>, item: Placed) {
    this.list = list;
    this.item = item;
  }
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
  readonly #places: Place[] = [];
  readonly #before: Before | undefined;

  constructor(before: Before | undefined) {
    this.#before = before;
  }

  get length(): number {
    return this.#places.length;
  }

  at(index: number): T | undefined {
    return this.#places[index]?.item as T | undefined;
  }

  /** -1 if it is not in the list. */
  indexOf(item: object): number {
    const { places = [] } = item as Partial<Placed>;
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index] as Place;
      if ((place.list as object) === this) return place.index;
    }
    return -1;
  }

  /** A place in this list for one that may come to stand in it. */
  placeFor(item: T): Place {
    return new Place(this as CandidateList<Placed>, item);
  }

  /** Puts the candidate where it belongs, whether it is new here or has changed. */
  put(place: Place): void {
    if (place.index === -1) {
      place.index = this.#places.length;
      this.#places.push(place);
    }
    this.#settle(place, place.index);
  }

  delete(place: Place): void {
    const { index } = place;
    if (index === -1) return;
    place.index = -1;
    const last = this.#places.pop() as Place;
    if (last !== place) this.#settle(last, index);
  }

  /** Moves `place` from the hole at `index` up or down, until nobody above it comes after it and nobody below before. */
  #settle(place: Place, index: number): void {
    const places = this.#places;
    const before = this.#before;
    let hole = index;
    if (before !== undefined) {
      const { item } = place;
      while (hole > 0) {
        const above = (hole - 1) >> 1;
        const parent = places[above] as Place;
        if (!before(item, parent.item)) break;
        places[hole] = parent;
        parent.index = hole;
        hole = above;
      }
      for (let below = 2 * hole + 1; below < places.length; below = 2 * hole + 1) {
        let child = places[below] as Place;
        const sibling = places[below + 1];
        if (sibling !== undefined && before(sibling.item, child.item)) {
          below += 1;
          child = sibling;
        }
        if (!before(child.item, item)) break;
        places[hole] = child;
        child.index = hole;
        hole = below;
      }
    }
    places[hole] = place;
    place.index = hole;
  }
}
