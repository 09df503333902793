// Keeps the AsyncLocalStorage context in which a stream was opened for its events, which otherwise run in that of the session's socket.

import { AsyncResource, executionAsyncResource } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';

/** From Node 24 on a context costs nothing to keep, and the store can't be seen from outside. */
const ALWAYS_KEEP = Number.parseInt(process.versions.node, 10) >= 24;

/** The events of `emitter` run in the present context. Does nothing where no store is active. */
export function keepContext(emitter: EventEmitter): void {
  if (!ALWAYS_KEEP && !isStoreActive()) return;
  const resource = new AsyncResource('YamuxStream', { requireManualDestroy: true });
  const { emit } = emitter;
  emitter.emit = (...args) => resource.runInAsyncScope(emit, emitter, ...args);
}

// An AsyncResource for each stream costs more than the rest of open(). Up to Node 22 a store stands on the present resource, under a
// symbol of its AsyncLocalStorage.
function isStoreActive(): boolean {
  const resource = executionAsyncResource() as Record<symbol, unknown>;
  return Object.getOwnPropertySymbols(resource).some((symbol) => {
    return symbol.description === 'kResourceStore' && resource[symbol] !== undefined;
  });
}
