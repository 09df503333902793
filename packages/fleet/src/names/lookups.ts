// Finds the nodes of a name: in the cache, else by one lookup that all callers share. A stale entry is used, and looked up again in the background: a
// wrong node answers "not here", which costs one more attempt. While the directory may have lost content, known placements are kept beside its answers.
import type { Clock } from '@zishuo/yamux-balancer';
import type { SessionDirectory } from '../directory/directory.ts';
import { type KnownPlacement, known } from './known-placement.ts';
import type { NameCache } from './name-cache.ts';
import type { RateLimit } from './rate-limit.ts';

export interface LookupsSettings {
  readonly directory: Pick<SessionDirectory, 'lookup'>;
  readonly cache: NameCache;
  /** The limit of lookups of unknown names. */
  readonly limit: RateLimit;
  readonly clock: Clock;
  /** Whether the directory does not answer. Then no call waits for it. */
  readonly isDown: () => boolean;
  /** Whether the directory may have lost content. */
  readonly isDoubtful: () => boolean;
}

/** ms for which an answer that may be incomplete is fresh. */
const DOUBTFUL_TTL = 1_000;

const NOWHERE: readonly KnownPlacement[] = Object.freeze([]);
/** The least ms between two lookups of a name because of "not here" answers. */
const REFRESH_INTERVAL = 100;

export class Lookups {
  /** Lookups in the directory. */
  asked = 0;
  /** Lookups that failed. */
  failed = 0;
  /** Lookups of unknown names that were refused by the limit. */
  limited = 0;
  readonly #settings: LookupsSettings;
  readonly #underWay = new Map<string, Promise<readonly KnownPlacement[]>>();
  /** Names with a hint during their lookup: the hint may be newer than the answer. */
  readonly #outdated = new Set<string>();
  /** The time of the last lookup of each name because of "not here"; cleared when it grows. */
  readonly #refreshed = new Map<string, number>();

  constructor(settings: LookupsSettings) {
    this.#settings = settings;
  }

  /**
   * The placements of the name: at once from the cache, else by a lookup.
   * @throws what the directory rejects with, for a name of which nothing is known.
   */
  find(name: string): readonly KnownPlacement[] | Promise<readonly KnownPlacement[]> {
    const { cache, clock, limit, isDown } = this.#settings;
    const now = clock.now();
    const found = cache.find(name, now);
    if (found !== undefined) {
      if (found.age === 'fresh' || isDown()) return found.placements;
      const asked = this.#lookUp(name).catch(() => found.placements);
      // After a hint the caller waits for the new placement, because keys must follow an agent that moved. For an entry that is only old it does not wait.
      return found.age === 'changed' || found.placements.length === 0 ? asked : found.placements;
    }
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    if (isDown()) return NOWHERE;
    if (limit.take(now)) return this.#lookUp(name);
    this.limited += 1;
    return NOWHERE;
  }

  /** A hint that the placements of the name may have changed. */
  changed(name: string): void {
    this.#settings.cache.markStale(name);
    if (this.#underWay.has(name)) this.#outdated.add(name);
  }

  /** Hints may have been lost. */
  unsure(): void {
    this.#settings.cache.markAllStale();
    for (const name of this.#underWay.keys()) this.#outdated.add(name);
  }

  /** The placements from the cache, without a lookup. */
  peek(name: string): readonly KnownPlacement[] {
    return this.#settings.cache.find(name, this.#settings.clock.now())?.placements ?? NOWHERE;
  }

  /** Whether the name had placements a moment ago and has none now. */
  isMoving(name: string): boolean {
    return this.#settings.cache.isMoving(name, this.#settings.clock.now());
  }

  /** Looks the name up again, because a placement was wrong. At most every 100 ms. Never rejects. */
  async refresh(name: string): Promise<void> {
    const { clock, isDown } = this.#settings;
    const now = clock.now();
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) await underWay.catch(() => {});
    if (underWay !== undefined || isDown() || now - (this.#refreshed.get(name) ?? -Infinity) < REFRESH_INTERVAL) return;
    if (this.#refreshed.size > 10_000) this.#refreshed.clear();
    this.#refreshed.set(name, now);
    await this.#lookUp(name).catch(() => {});
  }

  #lookUp(name: string): Promise<readonly KnownPlacement[]> {
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    const asked = this.#ask(name).finally(() => {
      this.#underWay.delete(name);
      if (this.#outdated.delete(name)) this.#settings.cache.markStale(name);
    });
    this.#underWay.set(name, asked);
    return asked;
  }

  async #ask(name: string): Promise<readonly KnownPlacement[]> {
    const { directory, cache, clock, isDoubtful } = this.#settings;
    this.asked += 1;
    try {
      const placements = (await directory.lookup(name)).map(known);
      if (!isDoubtful()) {
        cache.store(name, placements, clock.now());
        return placements;
      }
      const kept = this.peek(name).filter(({ node }) => placements.every((one) => one.node !== node));
      const all = [...placements, ...kept];
      cache.store(name, all, clock.now(), DOUBTFUL_TTL);
      return all;
    } catch (error) {
      this.failed += 1;
      throw error;
    }
  }
}
