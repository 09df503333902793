// How a name is found: cache, then one lookup, which all that ask share. What is old is served, and looked up anew beside that: a wrong node says so,
// and costs one more try. While the directory may have lost something, what was known is kept beside what it says.
import type { Clock } from '@zishuo/yamux-balancer';
import type { SessionDirectory } from '../directory/directory.ts';
import { type KnownPlacement, known } from './known-placement.ts';
import type { NameCache } from './name-cache.ts';
import type { RateLimit } from './rate-limit.ts';

export interface LookupsSettings {
  readonly directory: Pick<SessionDirectory, 'lookup'>;
  readonly cache: NameCache;
  /** Of names of which nothing is known. */
  readonly limit: RateLimit;
  readonly clock: Clock;
  /** The directory does not answer: nobody waits for it. */
  readonly isDown: () => boolean;
  /** It may have lost what it held. */
  readonly isDoubtful: () => boolean;
}

/** ms for which an answer is fresh that may not be whole. */
const DOUBTFUL_TTL = 1_000;

const NOWHERE: readonly KnownPlacement[] = Object.freeze([]);
/** ms between two lookups of one name that peers ask for by saying "not here". */
const REFRESH_INTERVAL = 100;

export class Lookups {
  /** Lookups that went to the directory. */
  asked = 0;
  /** Of these, those that failed. */
  failed = 0;
  /** Unknown names that were not looked up because there were too many. */
  limited = 0;
  readonly #settings: LookupsSettings;
  readonly #underWay = new Map<string, Promise<readonly KnownPlacement[]>>();
  /** Of these, those of which a hint came meanwhile: it may be newer than the answer. */
  readonly #outdated = new Set<string>();
  /** When each name was last looked up for a peer's "not here"; cleared when it grows. */
  readonly #refreshed = new Map<string, number>();

  constructor(settings: LookupsSettings) {
    this.#settings = settings;
  }

  /**
   * Where the name is, as far as is known: at once from the cache, else by a lookup.
   * @throws what the directory rejects with, for a name of which nothing is known.
   */
  find(name: string): readonly KnownPlacement[] | Promise<readonly KnownPlacement[]> {
    const { cache, clock, limit, isDown } = this.#settings;
    const now = clock.now();
    const found = cache.find(name, now);
    if (found !== undefined) {
      if (found.age === 'fresh' || isDown()) return found.placements;
      const asked = this.#lookUp(name).catch(() => found.placements);
      // Who moved an agent wants its keys to follow; for what is merely old nobody waits.
      return found.age === 'changed' || found.placements.length === 0 ? asked : found.placements;
    }
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    if (isDown()) return NOWHERE;
    if (limit.take(now)) return this.#lookUp(name);
    this.limited += 1;
    return NOWHERE;
  }

  /** A hint: the name may have changed. */
  changed(name: string): void {
    this.#settings.cache.markStale(name);
    if (this.#underWay.has(name)) this.#outdated.add(name);
  }

  /** Hints may have been missed. */
  unsure(): void {
    this.#settings.cache.markAllStale();
    for (const name of this.#underWay.keys()) this.#outdated.add(name);
  }

  /** What is known without asking. */
  peek(name: string): readonly KnownPlacement[] {
    return this.#settings.cache.find(name, this.#settings.clock.now())?.placements ?? NOWHERE;
  }

  /** It had placements a moment ago, and has none. */
  isMoving(name: string): boolean {
    return this.#settings.cache.isMoving(name, this.#settings.clock.now());
  }

  /** What was known has turned out to be wrong. At most every 100 ms; never rejects. */
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
