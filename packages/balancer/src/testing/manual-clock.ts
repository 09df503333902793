import type { Clock } from '../clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now = 1_000_000;

  /** How many timers run. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Milliseconds, where the test has moved them to. */
  now(): number {
    return this.#now;
  }

  /** Fires when a test has moved the clock so far. */
  setTimeout(callback: () => void, ms: number): object {
    const timer: Timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return timer;
  }

  /** Takes back what `setTimeout` returned. */
  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** So many milliseconds pass; each timer that comes due is called at its time, timers that those set included. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = until;
  }
}
