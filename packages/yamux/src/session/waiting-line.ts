// Calls that wait in order, each with its AbortSignal. Each promise settles once and leaves no listener on its signal.

/** Called once, when the wait succeeds or fails. */
export interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

export class WaitingLine<T> {
  readonly #waiters = new Set<Waiter<T>>();
  readonly #bySignal = new Map<AbortSignal, Set<Waiter<T>>>();

  get length(): number {
    return this.#waiters.size;
  }

  /** Rejects with the signal's reason if it aborts first. */
  wait(signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.enter({ resolve, reject, signal });
    });
  }

  /** `waiter` waits behind all others; it is rejected with its signal's reason if that aborts first. */
  enter(waiter: Waiter<T>): void {
    const { signal } = waiter;
    if (signal?.aborted) {
      waiter.reject(signal.reason);
      return;
    }
    this.#waiters.add(waiter);
    if (signal) this.#listenTo(signal, waiter);
  }

  /** Removes `waiter` without a call. */
  leave(waiter: Waiter<T>): void {
    if (this.#waiters.has(waiter)) this.#take(waiter);
  }

  /** Resolves the call that has waited longest; false if none waits. */
  serveFirst(value: T): boolean {
    for (const waiter of this.#waiters) {
      this.#take(waiter).resolve(value);
      return true;
    }
    return false;
  }

  serveAll(value: T): void {
    for (const waiter of this.#waiters) this.#take(waiter).resolve(value);
  }

  failAll(error: unknown): void {
    for (const waiter of this.#waiters) this.#take(waiter).reject(error);
  }

  #take(waiter: Waiter<T>): Waiter<T> {
    this.#waiters.delete(waiter);
    if (waiter.signal) this.#stopListening(waiter.signal, waiter);
    return waiter;
  }

  // One listener for all calls with the same signal: Node warns of a leak from the eleventh listener on.
  #listenTo(signal: AbortSignal, waiter: Waiter<T>): void {
    const waiters = this.#bySignal.get(signal);
    if (waiters) {
      waiters.add(waiter);
      return;
    }
    this.#bySignal.set(signal, new Set([waiter]));
    signal.addEventListener('abort', this.#onAbort);
  }

  #stopListening(signal: AbortSignal, waiter: Waiter<T>): void {
    const waiters = this.#bySignal.get(signal);
    waiters?.delete(waiter);
    if (waiters?.size !== 0) return;
    this.#bySignal.delete(signal);
    signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = ({ target }: Event): void => {
    const signal = target as AbortSignal;
    for (const waiter of this.#bySignal.get(signal) ?? []) this.#take(waiter).reject(signal.reason);
  };
}
