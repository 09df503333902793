// The future events of a simulation, in order of time. The clock of the pool moves with it.
import { ManualClock } from '@zishuo/yamux-balancer/testing';

interface Entry {
  readonly at: number;
  /** Of two events at the same time, the one that was added first comes first. */
  readonly number: number;
  readonly happen: () => void;
}

export class Agenda {
  readonly clock: ManualClock = new ManualClock();
  /** A binary heap: the next event is at index 0. */
  readonly #entries: Entry[] = [];
  #entered = 0;

  get now(): number {
    return this.clock.now();
  }

  in(ms: number, happen: () => void): void {
    this.#entered += 1;
    const entries = this.#entries;
    const entry = { at: this.now + ms, number: this.#entered, happen };
    let hole = entries.length;
    entries.push(entry);
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      const parent = entries[above] as Entry;
      if (!isBefore(entry, parent)) break;
      entries[hole] = parent;
      hole = above;
    }
    entries[hole] = entry;
  }

  /** Runs until no event is left. Promises and stream events run after each. */
  async run(): Promise<void> {
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      this.clock.advance(next.at - this.now);
      next.happen();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #take(): Entry | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined || entries.length === 0) return first;
    let hole = 0;
    for (let below = 1; below < entries.length; below = 2 * hole + 1) {
      let child = entries[below] as Entry;
      const sibling = entries[below + 1];
      if (sibling !== undefined && isBefore(sibling, child)) {
        below += 1;
        child = sibling;
      }
      if (!isBefore(child, last)) break;
      entries[hole] = child;
      hole = below;
    }
    entries[hole] = last;
    return first;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.number < other.number);
}
