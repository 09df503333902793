// For how long a peer has owed answers to opens. Pure: time comes in.

export class Silence {
  /** Attempts that the peer owes an answer to. */
  #owed = 0;
  /** Since the last answer, the times in which none was owed left out: later than that by as much as these were. */
  #since = 0;
  /** While none is owed: for how long answers have been owed since the last one. */
  #kept = 0;

  /** Undefined if no answer is owed. */
  get since(): number | undefined {
    return this.#owed > 0 ? this.#since : undefined;
  }

  /** One more answer is owed. */
  begin(now: number): void {
    if (this.#owed === 0) this.#since = now - this.#kept;
    this.#owed += 1;
  }

  answered(now: number): void {
    this.#owed -= 1;
    this.#kept = 0;
    this.#since = now;
  }

  /**
   * An attempt has ended without an answer. Returns for how long answers have been owed. The next attempt is owed that too: callers that
   * give up soon, one after the other, do not hide that the peer is silent.
   */
  unanswered(now: number): number {
    this.#owed -= 1;
    const silence = now - this.#since;
    if (this.#owed === 0) this.#kept = silence;
    return silence;
  }
}
