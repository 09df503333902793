// Keeps the AsyncLocalStorage context of open() for the events of the stream. Without it they would run in the context of the session's socket.

import { AsyncResource, executionAsyncResource } from 'node:async_hooks';

/** From Node 24 on, keeping a context costs nothing, and the store cannot be read from outside. */
const ALWAYS_KEEP = Number.parseInt(process.versions.node, 10) >= 24;

/** The current context; undefined if no store is active, because each call in a context has a cost. */
export function openingContext(): AsyncResource | undefined {
  if (!ALWAYS_KEEP && !isStoreActive()) return undefined;
  return new AsyncResource('YamuxStream', { requireManualDestroy: true });
}

// Up to Node 22 a store is a property of the current resource, under a symbol of its AsyncLocalStorage.
function isStoreActive(): boolean {
  const resource = executionAsyncResource() as Record<symbol, unknown>;
  return Object.getOwnPropertySymbols(resource).some((symbol) => {
    return symbol.description === 'kResourceStore' && resource[symbol] !== undefined;
  });
}
