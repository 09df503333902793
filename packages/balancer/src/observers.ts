// All that a pool tells, in one place: to its owner's hooks, and to the process by node:diagnostics_channel, where the message has
// the pool beside what the hook is told. An event is made only where somebody listens.
import { type Channel, channel } from 'node:diagnostics_channel';
import type { AffinityBindEvent, AffinityEvictEvent, Hooks, PoolHooks, SessionRemovedEvent } from './hooks.ts';
import type { SessionSnapshot } from './stats.ts';

const OPEN = channel('yamux:pool:open');
const RETRY = channel('yamux:pool:retry');
const SESSION_ADD = channel('yamux:pool:session:add');
const SESSION_REMOVE = channel('yamux:pool:session:remove');
const SESSION_DRAIN = channel('yamux:pool:session:drain');
const SESSION_HEALTH = channel('yamux:pool:session:health');
const AFFINITY_BIND = channel('yamux:pool:affinity:bind');
const AFFINITY_EVICT = channel('yamux:pool:affinity:evict');

/** What is told of a session. */
interface Subject {
  readonly key: string;
  snapshot(): SessionSnapshot;
}

type EventOf<Name extends keyof PoolHooks> = Parameters<NonNullable<PoolHooks[Name]>>[0];

export class Observers {
  readonly #pool: object;
  readonly #hooks: Hooks;

  constructor(pool: object, hooks: Hooks) {
    this.#pool = pool;
    this.#hooks = hooks;
  }

  sessionAdded(session: Subject): void {
    this.#tell('onSessionAdded', SESSION_ADD, () => ({ snapshot: session.snapshot() }));
  }

  sessionRemoved(session: Subject, reason: SessionRemovedEvent['reason'], error: Error | undefined): void {
    this.#tell('onSessionRemoved', SESSION_REMOVE, () => ({ snapshot: session.snapshot(), reason, error }));
  }

  drained(session: Subject, draining: boolean): void {
    this.#tell('onDrain', SESSION_DRAIN, () => ({ snapshot: session.snapshot(), draining }));
  }

  healthChanged(session: Subject, healthy: boolean, reason: string): void {
    this.#tell('onHealthChange', SESSION_HEALTH, () => ({ snapshot: session.snapshot(), healthy, reason }));
  }

  opened({ key }: Subject, attempt: number): void {
    this.#tell('onOpen', OPEN, () => ({ sessionKey: key, attempt }));
  }

  openFailed({ key }: Subject, attempt: number, error: unknown): void {
    this.#tell('onOpenError', undefined, () => ({ sessionKey: key, attempt, error }));
  }

  /** The open goes on with another session than the one that failed it. */
  retried({ key }: Subject, attempt: number, error: unknown): void {
    if (RETRY.hasSubscribers) RETRY.publish({ pool: this.#pool, sessionKey: key, attempt, error });
  }

  streamClosed({ key }: Subject, error: Error | undefined): void {
    this.#tell('onStreamClose', undefined, () => ({ sessionKey: key, error }));
  }

  affinityBound(event: AffinityBindEvent): void {
    if (AFFINITY_BIND.hasSubscribers) AFFINITY_BIND.publish({ pool: this.#pool, ...event });
  }

  affinityEvicted(event: AffinityEvictEvent): void {
    this.#tell('onAffinityEvict', AFFINITY_EVICT, () => event);
  }

  #tell<Name extends keyof PoolHooks>(hook: Name, told: Channel | undefined, make: () => EventOf<Name>): void {
    const subscribed = told?.hasSubscribers === true ? told : undefined;
    if (subscribed === undefined && !this.#hooks.has(hook)) return;
    const event = make();
    subscribed?.publish({ pool: this.#pool, ...event });
    this.#hooks.call(hook, event);
  }
}
