// One listener on a caller's signal, however many opens wait on it: a thousand opens on the signal of a shutdown would otherwise look like a
// leak of listeners to Node, and be told as one.

interface Waiting {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const bySignal = new WeakMap<AbortSignal, Waiting>();

/** `callback` is called once if the signal aborts; it must not throw. */
export function onAbort(signal: AbortSignal, callback: () => void): void {
  let waiting = bySignal.get(signal);
  if (waiting === undefined) {
    const callbacks = new Set<() => void>();
    const listener = (): void => {
      bySignal.delete(signal);
      for (const one of [...callbacks]) if (callbacks.has(one)) one();
    };
    waiting = { callbacks, listener };
    bySignal.set(signal, waiting);
    signal.addEventListener('abort', listener, { once: true });
  }
  waiting.callbacks.add(callback);
}

/** Takes back what `onAbort` was given; the listener goes with the last. */
export function offAbort(signal: AbortSignal, callback: () => void): void {
  const waiting = bySignal.get(signal);
  if (waiting === undefined) return;
  waiting.callbacks.delete(callback);
  if (waiting.callbacks.size > 0) return;
  bySignal.delete(signal);
  signal.removeEventListener('abort', waiting.listener);
}
