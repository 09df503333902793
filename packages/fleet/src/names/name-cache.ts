// The cache of lookups: the placements of names, and names that have none. Pure: time is an argument. An old entry is not deleted: it becomes stale, and
// is still used if the directory does not answer.
import type { KnownPlacement } from './known-placement.ts';

export interface NameCacheRules {
  /** Milliseconds after which an entry is stale, even without a hint. */
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

/** `'changed'`: there was a hint. `'old'`: the placements may have changed without one. */
export type Age = 'fresh' | 'old' | 'changed';

interface Entry {
  readonly placements: readonly KnownPlacement[];
  readonly until: number;
  /** The number of calls of markAllStale() when the entry was stored. */
  readonly era: number;
  isMarked: boolean;
  /** The time since which the name has no placements. It had some before, so its agent is probably moving to another node. */
  readonly vanishedAt: number | undefined;
}

/** ms for which a name that lost its placements is expected to get new ones; and ms for which an answer without placements is fresh then. */
const MOVING = 1_000;
const MOVING_TTL = 100;

const NONE: Found = Object.freeze({ placements: Object.freeze([]), age: 'fresh' });

export class NameCache {
  readonly #rules: NameCacheRules;
  /** Entries in the order of lookup, the oldest first. */
  readonly #known = new Map<string, Entry>();
  /** The time of each lookup, the oldest first. */
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

  /** Undefined if nothing is known of the name. */
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

  /** `ttl`: ms for which the entry is fresh, if less than usual. */
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

  /** This node has lost the name: the next use looks it up. Known placements on other nodes are kept. */
  vanish(name: string, now: number): void {
    this.markStale(name);
    if (!this.#known.has(name)) this.#keep(name, [], now, now);
  }

  /** Whether the name had placements a moment ago and has none now. */
  isMoving(name: string, now: number): boolean {
    const vanishedAt = this.#known.get(name)?.vanishedAt;
    return vanishedAt !== undefined && now - vanishedAt < MOVING;
  }

  #keep(name: string, placements: readonly KnownPlacement[], until: number, vanishedAt: number | undefined): void {
    this.#known.set(name, { placements, until, era: this.#era, isMarked: false, vanishedAt });
    dropOldest(this.#known, this.#rules.maxNames);
  }

  /** A hint that the name may have changed. True if the name was in the cache. */
  markStale(name: string): boolean {
    const entry = this.#known.get(name);
    if (entry !== undefined) entry.isMarked = true;
    return this.#unknown.delete(name) || entry !== undefined;
  }

  /** Hints may have been lost. */
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
