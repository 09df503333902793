// Work that waits for the next turn of the event loop. All of it shares one setImmediate: after each setImmediate Node runs promises and ticks,
// so streams with one each would send what follows in one small write each, which halves the streams opened per second.

export class NextTurn<T> {
  readonly #work: (item: T) => void;
  #waiting: T[] = [];

  /** `work` must not throw: the items after it would be lost. */
  constructor(work: (item: T) => void) {
    this.#work = work;
  }

  /** Calls `work` with the item in the next turn, in the order of the calls. */
  add(item: T): void {
    if (this.#waiting.push(item) === 1) setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const items = this.#waiting;
    this.#waiting = [];
    for (const item of items) this.#work(item);
  };
}
