// What the directory has yet to be told: names whose placement has changed, in batches, one under way at a time. A batch that failed is told
// anew, with higher numbers: the failed one may still arrive, and is then the older one.

export interface Batch {
  readonly names: readonly string[];
  /** Of the first name; each one after it has the next. */
  readonly firstSeq: number;
}

export class Outbox {
  readonly #waiting = new Set<string>();
  #underWay: Batch | undefined;
  /** Told, and not yet seen in the answer to a beat: without a lease the directory drops what it is told. */
  #unconfirmed: Batch[] = [];
  #seq = 0;
  /** The highest that the directory has taken. */
  #taken = 0;

  /** Names that the directory has not been told of, or has not confirmed. */
  get size(): number {
    return this.#waiting.size + (this.#underWay?.names.length ?? 0);
  }

  mark(name: string): void {
    this.#waiting.add(name);
  }

  /** The next batch; undefined while one is under way, or when there is nothing to tell. */
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

  /** The directory holds all up to that one. */
  confirmed(seq: number): void {
    this.#unconfirmed = this.#unconfirmed.filter((batch) => lastSeq(batch) > seq);
  }

  failed(): void {
    for (const name of this.#underWay?.names ?? []) this.#waiting.add(name);
    this.#underWay = undefined;
  }

  /** The directory holds less than it has confirmed: everything must be told again. */
  hasLost(seq: number): boolean {
    return seq < this.#taken;
  }

  /** All of `names` are told again, and what was told and never confirmed: names among it may be withdrawn by now. */
  markAll(names: Iterable<string>): void {
    for (const name of names) this.#waiting.add(name);
    for (const batch of this.#unconfirmed.splice(0)) for (const name of batch.names) this.#waiting.add(name);
    // Until it has been told, the same answer of the directory is no news.
    this.#taken = 0;
  }
}

function lastSeq({ names, firstSeq }: Batch): number {
  return firstSeq + names.length - 1;
}
