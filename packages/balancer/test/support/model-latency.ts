// How quick one session of the naive pool is: all that was ever seen of it, gone through anew each time it is asked.

const DECAY = 10_000;
const FAILURE = 1_000;

interface Sample {
  readonly at: number;
  readonly ms: number;
  /** Otherwise it is known only that the answer would have taken longer. */
  readonly isAnswer: boolean;
}

export class ModelLatency {
  readonly #samples: Sample[] = [];
  /** When each open was asked for that the peer has not answered. */
  readonly #owed = new Map<object, number>();
  /** For each time in which it owed an answer, since its last one: from when to when, if that is over. */
  #silences: { readonly from: number; to?: number }[] = [];

  asked(open: object, now: number): void {
    if (this.#owed.size === 0) this.#silences.push({ from: now });
    this.#owed.set(open, now);
  }

  answered(open: object, now: number): void {
    this.#samples.push({ at: now, ms: now - (this.#owed.get(open) ?? now), isAnswer: true });
    this.#owed.delete(open);
    this.#silences = this.#owed.size > 0 ? [{ from: now }] : [];
  }

  ended(open: object, now: number): void {
    const since = this.#owed.get(open);
    if (since === undefined) return;
    this.#samples.push({ at: now, ms: Math.max(now - since, this.#silence(now)), isAnswer: false });
    this.#owed.delete(open);
    const last = this.#silences.at(-1);
    if (this.#owed.size === 0 && last !== undefined) last.to = now;
  }

  #silence(now: number): number {
    return this.#silences.reduce((sum, { from, to = now }) => sum + to - from, 0);
  }

  failed(now: number): void {
    this.#samples.push({ at: now, ms: FAILURE, isAnswer: false });
  }

  cost(load: number, now: number): number {
    let quickest = Infinity;
    let last: { readonly cost: number; readonly at: number } | undefined;
    const costAt = (time: number): number => {
      if (last === undefined) return Number.NaN;
      const passed = time - last.at;
      return passed <= 0 ? last.cost : quickest + (last.cost - quickest) * Math.exp(-passed / DECAY);
    };
    for (const { at, ms, isAnswer } of this.#samples) {
      const before = costAt(at);
      if (!isAnswer && before >= ms) continue;
      const passed = last === undefined ? 0 : at - last.at;
      const cost = Number.isNaN(before) || ms >= before ? ms : ms + (before - ms) * Math.exp(-passed / DECAY);
      last = { cost, at };
      if (isAnswer || quickest === Infinity) quickest = Math.min(quickest, ms);
    }
    let ms = costAt(now);
    if (Number.isNaN(ms)) ms = load === 0 ? 0 : 1e9;
    else ms = Math.max(1, ms);
    const silent = this.#owed.size > 0 ? this.#silence(now) : 0;
    return (load + 1) * Math.max(ms, silent);
  }
}
