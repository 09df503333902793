// The interface that opens streams on this node's own sessions: the pool itself, or the application that owns it.
import type { Duplex } from 'node:stream';
import type { RoutingContext, SessionPool, SessionRef } from '@zishuo/yamux-balancer';

/** As the options of `pool.openStream()`. */
export interface OwnOpenOptions {
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole open. */
  readonly timeout?: number | undefined;
  /** Milliseconds for each session. */
  readonly attemptTimeout?: number | undefined;
  /** Wait until the agent has acknowledged the stream. */
  readonly acknowledged: boolean;
  /** Wait for a session if none can serve. */
  readonly wait: boolean;
  /** The name of the asking node; undefined for this node. */
  readonly peer?: string | undefined;
}

/** A stream on a session of this node. */
export interface OwnStream {
  /** The stream of the session. */
  readonly stream: Duplex;
  /** The session of the stream. */
  readonly session: SessionRef;
}

/** Opens a stream on a session of this node that serves the name. Rejects as `pool.openStream()` does. */
export type OpenOwn = (name: string, routing: RoutingContext, options: OwnOpenOptions) => Promise<OwnStream>;

export function openOn(pool: SessionPool): OpenOwn {
  return (name, routing, { peer: _peer, ...limits }) => pool.openStream(withName(routing, name), limits);
}

/** Adds the name to the required tags. */
export function withName(routing: RoutingContext, name: string): RoutingContext {
  return { ...routing, requiredTags: [...(routing.requiredTags ?? []), name] };
}
