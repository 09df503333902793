// Keeps the AsyncLocalStorage context in which a stream was opened for its events, which otherwise run in that of the session's socket.

import { AsyncResource, executionAsyncResource } from 'node:async_hooks';

/** From Node 24 on a context costs nothing to keep, and the store can't be seen from outside. */
const ALWAYS_KEEP = Number.parseInt(process.versions.node, 10) >= 24;

/** The present context; undefined where no store is active, since each call in a context costs. */
export function openingContext(): AsyncResource | undefined {
  if (!ALWAYS_KEEP && !isStoreActive()) return undefined;
  return new AsyncResource('YamuxStream', { requireManualDestroy: true });
}

// Up to Node 22 a store stands on the present resource, under a symbol of its AsyncLocalStorage.
function isStoreActive(): boolean {
  const resource = executionAsyncResource() as Record<symbol, unknown>;
  return Object.getOwnPropertySymbols(resource).some((symbol) => {
    return symbol.description === 'kResourceStore' && resource[symbol] !== undefined;
  });
}
