// How streams of own sessions are opened: by the pool, or by an owner of it that knows more than one way.
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
  /** Wait until the agent has taken the stream. */
  readonly acknowledged: boolean;
  /** Wait for a session, where none can serve. */
  readonly wait: boolean;
  /** The name of the node that asks; undefined for this one. */
  readonly peer?: string | undefined;
}

/** A stream of an own session. */
export interface OwnStream {
  /** The session's own. */
  readonly stream: Duplex;
  /** Whose it is. */
  readonly session: SessionRef;
}

/** Opens a stream on an own session that serves the name; rejects as `pool.openStream()` does. */
export type OpenOwn = (name: string, routing: RoutingContext, options: OwnOpenOptions) => Promise<OwnStream>;

export function openOn(pool: SessionPool): OpenOwn {
  return (name, routing, { peer: _peer, ...limits }) => pool.openStream(withName(routing, name), limits);
}

/** Asks for a session that serves the name, besides. */
export function withName(routing: RoutingContext, name: string): RoutingContext {
  return { ...routing, requiredTags: [...(routing.requiredTags ?? []), name] };
}
