// Calls that wait for something, in order, each with its AbortSignal. Whatever happens, each promise settles once and leaves no
// listener on its signal.

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  readonly leave: () => void;
}

export class WaitingLine<T> {
  readonly #waiters = new Set<Waiter<T>>();

  get length(): number {
    return this.#waiters.size;
  }

  /** Rejects with the signal's reason if it aborts first. */
  wait(signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => this.#take(waiter).reject(signal?.reason);
      const waiter: Waiter<T> = { resolve, reject, leave: () => signal?.removeEventListener('abort', onAbort) };
      signal?.addEventListener('abort', onAbort);
      this.#waiters.add(waiter);
    });
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
    waiter.leave();
    return waiter;
  }
}
