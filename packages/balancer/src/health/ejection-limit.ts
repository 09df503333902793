// How many failed sessions may be closed at a time: what fails everywhere at once is more likely our own network than theirs, and
// nobody is served by a pool that has closed them all.

export class EjectionLimit {
  readonly #share: number;
  readonly #window: number;
  #times: number[] = [];

  /** At most `percent` of the sessions within `window` milliseconds, and always one. */
  constructor(percent: number, window: number) {
    this.#share = percent / 100;
    this.#window = window;
  }

  /** True if one more may go of the `remaining` that are in the pool, itself included; it is counted then. */
  take(remaining: number, now: number): boolean {
    this.#times = this.#times.filter((time) => now - time < this.#window);
    const ejected = this.#times.length + 1;
    const share = ejected / (remaining + this.#times.length);
    if (ejected > 1 && share > this.#share) return false;
    this.#times.push(now);
    return true;
  }
}
