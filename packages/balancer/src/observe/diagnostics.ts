// The events of all pools for whoever watches the process from outside, by node:diagnostics_channel. Nothing is built for a
// channel that nobody subscribed to. What a subscriber throws is an uncaught exception, as on every channel of Node.
import { type Channel, channel } from 'node:diagnostics_channel';
import type {
  AffinityBindEvent,
  AffinityEvictEvent,
  DrainEvent,
  HealthEvent,
  HookPanicEvent,
  OpenErrorEvent,
  OpenEvent,
  PoolEvents,
  RetryEvent,
  SessionAddedEvent,
  SessionNeededEvent,
  SessionRemovedEvent,
} from './events.ts';

/** An event and the SessionPool that tells it. */
export type FromPool<Event> = Event & { readonly pool: object };

/** The message on each channel. */
export interface PoolMessages {
  /** An `open()` has ended. A message with an `error` is of one that failed. */
  'yamux:pool:open': FromPool<OpenEvent> | FromPool<OpenErrorEvent>;
  /** An open goes on to another session. */
  'yamux:pool:retry': FromPool<RetryEvent>;
  /** A session has joined. */
  'yamux:pool:session:add': FromPool<SessionAddedEvent>;
  /** A session has left. */
  'yamux:pool:session:remove': FromPool<SessionRemovedEvent>;
  /** A session drains, or takes streams again. */
  'yamux:pool:session:drain': FromPool<DrainEvent>;
  /** A session turned unhealthy, or healthy. */
  'yamux:pool:session:health': FromPool<HealthEvent>;
  /** An open waits for a session that there is not, or fewer than `minimum` are left. */
  'yamux:pool:session:needed': FromPool<SessionNeededEvent>;
  /** A key belongs to a session from now on. */
  'yamux:pool:affinity:bind': FromPool<AffinityBindEvent>;
  /** A binding is gone. */
  'yamux:pool:affinity:evict': FromPool<AffinityEvictEvent>;
  /** Something that the pool called threw. */
  'yamux:pool:hook:panic': FromPool<HookPanicEvent>;
}

const poolChannel = (name: keyof PoolMessages): Channel => channel(name);

/** `onStreamClose` has none: a stream tells its own end, and is watched only for a pool whose owner asked for it. */
export const CHANNELS: Readonly<Record<keyof PoolEvents, Channel | undefined>> = {
  onHealthChange: poolChannel('yamux:pool:session:health'),
  onSessionAdded: poolChannel('yamux:pool:session:add'),
  onSessionRemoved: poolChannel('yamux:pool:session:remove'),
  onDrain: poolChannel('yamux:pool:session:drain'),
  onOpen: poolChannel('yamux:pool:open'),
  onOpenError: poolChannel('yamux:pool:open'),
  onSessionNeeded: poolChannel('yamux:pool:session:needed'),
  onRetry: poolChannel('yamux:pool:retry'),
  onStreamClose: undefined,
  onAffinityBind: poolChannel('yamux:pool:affinity:bind'),
  onAffinityEvict: poolChannel('yamux:pool:affinity:evict'),
  onHookPanic: poolChannel('yamux:pool:hook:panic'),
};
