// The signals by which attempts are taken back. One costs 3 µs to make, as much as the rest of an open, and hardly any attempt is taken back: a
// signal that has told nobody anything is used again for a later attempt.
import { getEventListeners } from 'node:events';

/** Kept for later attempts at most. */
const MOST = 256;

/** The signal of one attempt at a time. */
export class AttemptSignal {
  readonly #owner: AttemptSignals;
  readonly #controller = new AbortController();

  constructor(owner: AttemptSignals) {
    this.#owner = owner;
  }

  /** What the session is given. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The stream that came of the attempt is closed, and whoever could abort it has let go of it. */
  release(): void {
    this.#owner.keep(this);
  }
}

export class AttemptSignals {
  readonly #free: AttemptSignal[] = [];

  take(): AttemptSignal {
    return this.#free.pop() ?? new AttemptSignal(this);
  }

  /** Unless somebody still listens to it. */
  keep(one: AttemptSignal): void {
    if (this.#free.length === MOST || getEventListeners(one.signal, 'abort').length > 0) return;
    this.#free.push(one);
  }
}
