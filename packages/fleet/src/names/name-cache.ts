// What was looked up: the placements of names, and names that have none. Pure: time is an argument. An entry is never thrown away for its age: it
// turns stale, and is still the best that is known when the directory does not answer.
import type { KnownPlacement } from './known-placement.ts';

export interface NameCacheRules {
  /** Milliseconds after which an entry is stale, whatever hints came. */
  readonly ttl: number;
  /** Milliseconds for which a name without placements is not looked up again. */
  readonly unknownTtl: number;
  readonly maxNames: number;
  readonly maxUnknown: number;
}

export interface Found {
  readonly placements: readonly KnownPlacement[];
  readonly age: Age;
}

/** `'changed'`: a hint said so. `'old'`: it may have changed without one. */
export type Age = 'fresh' | 'old' | 'changed';

interface Entry {
  readonly placements: readonly KnownPlacement[];
  readonly until: number;
  /** Of which call of markAllStale() it knows. */
  readonly era: number;
  isMarked: boolean;
  /** Since when it has no placements: it had some, so its agent is probably on its way from one node to another. */
  readonly vanishedAt: number | undefined;
}

/** ms for which a name that had placements is probably about to have some again, and for which its having none is believed. */
const MOVING = 1_000;
const MOVING_TTL = 100;

const NONE: Found = Object.freeze({ placements: Object.freeze([]), age: 'fresh' });

export class NameCache {
  readonly #rules: NameCacheRules;
  /** In the order of lookup: the first is the oldest. */
  readonly #known = new Map<string, Entry>();
  /** When each was looked up, oldest first. */
  readonly #unknown = new Map<string, number>();
  #era = 0;

  constructor(rules: NameCacheRules) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#known.size;
  }

  get unknownSize(): number {
    return this.#unknown.size;
  }

  /** Undefined: nothing is known of the name. */
  find(name: string, now: number): Found | undefined {
    const entry = this.#known.get(name);
    if (entry !== undefined) {
      const isOld = entry.era !== this.#era || now >= entry.until;
      return { placements: entry.placements, age: entry.isMarked ? 'changed' : isOld ? 'old' : 'fresh' };
    }
    const at = this.#unknown.get(name);
    if (at === undefined) return undefined;
    if (now - at < this.#rules.unknownTtl) return NONE;
    this.#unknown.delete(name);
    return undefined;
  }

  /** `ttl`: how long it stays fresh, where that is less than by the rules. */
  store(name: string, placements: readonly KnownPlacement[], now: number, ttl: number = this.#rules.ttl): void {
    const before = this.#known.get(name);
    this.#known.delete(name);
    this.#unknown.delete(name);
    if (placements.length > 0) {
      this.#keep(name, placements, now + ttl, undefined);
      return;
    }
    const vanishedAt = before?.vanishedAt ?? now;
    if (before !== undefined && now - vanishedAt < MOVING) {
      this.#keep(name, placements, now + MOVING_TTL, vanishedAt);
      return;
    }
    this.#unknown.set(name, now);
    dropOldest(this.#unknown, this.#rules.maxUnknown);
  }

  /** This node had the name until now: whoever has it next is looked up. What is known of others stays. */
  vanish(name: string, now: number): void {
    this.markStale(name);
    if (!this.#known.has(name)) this.#keep(name, [], now, now);
  }

  /** It had placements a moment ago, and has none. */
  isMoving(name: string, now: number): boolean {
    const vanishedAt = this.#known.get(name)?.vanishedAt;
    return vanishedAt !== undefined && now - vanishedAt < MOVING;
  }

  #keep(name: string, placements: readonly KnownPlacement[], until: number, vanishedAt: number | undefined): void {
    this.#known.set(name, { placements, until, era: this.#era, isMarked: false, vanishedAt });
    dropOldest(this.#known, this.#rules.maxNames);
  }

  /** A hint: the name may have changed. True if something was known of it. */
  markStale(name: string): boolean {
    const entry = this.#known.get(name);
    if (entry !== undefined) entry.isMarked = true;
    return this.#unknown.delete(name) || entry !== undefined;
  }

  /** Hints may have been missed. */
  markAllStale(): void {
    this.#era += 1;
    this.#unknown.clear();
  }
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  for (const name of map.keys()) {
    if (map.size <= max) return;
    map.delete(name);
  }
}
