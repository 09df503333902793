// The names whose placement has changed and that must be published: in batches, one at a time. A failed batch is sent again with higher numbers. If
// the failed batch still arrives later, the directory ignores it as older.

export interface Batch {
  readonly names: readonly string[];
  /** The seq of the first name; each further name has the next. */
  readonly firstSeq: number;
}

export class Outbox {
  readonly #waiting = new Set<string>();
  #underWay: Batch | undefined;
  /** Names that were published, but not yet confirmed by the answer to a beat: without a lease the directory drops them. */
  #unconfirmed: Batch[] = [];
  #seq = 0;
  /** The highest seq that the directory has confirmed. */
  #taken = 0;

  /** Names that are not published or not confirmed yet. */
  get size(): number {
    return this.#waiting.size + (this.#underWay?.names.length ?? 0);
  }

  mark(name: string): void {
    this.#waiting.add(name);
  }

  /** The next batch; undefined while one is in progress, or if there is nothing to publish. */
  take(limit: number): Batch | undefined {
    if (this.#underWay !== undefined || this.#waiting.size === 0) return undefined;
    const names: string[] = [];
    for (const name of this.#waiting) {
      if (names.length === limit) break;
      this.#waiting.delete(name);
      names.push(name);
    }
    this.#underWay = { names, firstSeq: this.#seq + 1 };
    this.#seq += names.length;
    return this.#underWay;
  }

  succeeded(): void {
    if (this.#underWay === undefined) return;
    this.#taken = lastSeq(this.#underWay);
    this.#unconfirmed.push(this.#underWay);
    this.#underWay = undefined;
  }

  /** The directory holds all entries up to this seq. */
  confirmed(seq: number): void {
    this.#unconfirmed = this.#unconfirmed.filter((batch) => lastSeq(batch) > seq);
  }

  failed(): void {
    for (const name of this.#underWay?.names ?? []) this.#waiting.add(name);
    this.#underWay = undefined;
  }

  /** The directory holds less than it has confirmed, so everything must be published again. */
  hasLost(seq: number): boolean {
    return seq < this.#taken;
  }

  /** Publishes all of `names` again, and the unconfirmed names, because some of those may be withdrawn by now. */
  markAll(names: Iterable<string>): void {
    for (const name of names) this.#waiting.add(name);
    for (const batch of this.#unconfirmed.splice(0)) for (const name of batch.names) this.#waiting.add(name);
    // Until the batch is published, the same answer of the directory is nothing new.
    this.#taken = 0;
  }
}

function lastSeq({ names, firstSeq }: Batch): number {
  return firstSeq + names.length - 1;
}
