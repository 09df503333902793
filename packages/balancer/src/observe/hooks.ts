// What a pool tells its owner and the process, and the wall between them: a hook that throws or rejects changes nothing in the
// pool. Every event comes through here, for the hooks and for diagnostics_channel; it is made only where somebody listens, and after the
// pool's state is what it says.
import type { Duplex } from 'node:stream';
import { checkNames, checkObject } from '../checks.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { RoutingContext } from '../routing.ts';
import { CHANNELS } from './diagnostics.ts';
import type { AffinityBindEvent, AffinityEvictEvent, HealthCause, PoolEvents, RemovalReason } from './events.ts';
import type { SessionSnapshot } from './stats.ts';

/**
 * Called synchronously, once the pool's state is what the event says; a hook may call back into the pool. What a hook throws,
 * or what its promise rejects with, goes to `onHookPanic` and nowhere else.
 */
export type PoolHooks = {
  readonly [Name in keyof PoolEvents]?: ((event: PoolEvents[Name]) => unknown) | undefined;
};

const NAMES: readonly string[] = Object.keys(CHANNELS);

/** @throws TypeError: a hook with a name that is never called would be missed only when it is needed. */
export function checkHooks(hooks: PoolHooks): void {
  checkObject('hooks', hooks);
  checkNames('hook', 'a pool', hooks, NAMES);
  for (const [name, hook] of Object.entries(hooks)) {
    if (hook !== undefined && typeof hook !== 'function') {
      throw new TypeError(`Expected hooks.${name} to be a function, got ${typeof hook}`);
    }
  }
}

/** What is told of a session. */
interface Subject {
  readonly key: string;
  snapshot(): SessionSnapshot;
}

export class Hooks {
  readonly #hooks: PoolHooks;
  readonly #pool: object;
  readonly #clock: Clock;

  constructor(hooks: PoolHooks, pool: object, clock: Clock = systemClock) {
    this.#hooks = hooks;
    this.#pool = pool;
    this.#clock = clock;
  }

  /** Whether anybody listens: an event that costs something to make is made only then. */
  has(name: keyof PoolEvents): boolean {
    return this.#hooks[name] !== undefined || CHANNELS[name]?.hasSubscribers === true;
  }

  call<Name extends keyof PoolEvents>(name: Name, event: PoolEvents[Name]): void {
    const channel = CHANNELS[name];
    if (channel?.hasSubscribers) channel.publish({ ...event, pool: this.#pool });
    const hook = this.#hooks[name];
    if (hook !== undefined) this.guard(name, () => hook.call(this.#hooks, event));
  }

  /** Calls foreign code; what goes wrong in it is told to `onHookPanic`. Returns what it returned. */
  guard<Result>(name: string, call: () => Result): Result | undefined {
    try {
      const result = call();
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.#panicked(name, error));
      return result;
    } catch (error) {
      this.#panicked(name, error);
      return undefined;
    }
  }

  sessionAdded(session: Subject): void {
    if (this.has('onSessionAdded')) this.call('onSessionAdded', { snapshot: session.snapshot() });
  }

  sessionRemoved(session: Subject, reason: RemovalReason, error: Error | undefined): void {
    if (!this.has('onSessionRemoved')) return;
    this.call('onSessionRemoved', { snapshot: session.snapshot(), reason, error });
  }

  drained(session: Subject, draining: boolean): void {
    if (this.has('onDrain')) this.call('onDrain', { snapshot: session.snapshot(), draining });
  }

  healthChanged(session: Subject, cause: HealthCause, reason: string): void {
    if (!this.has('onHealthChange')) return;
    this.call('onHealthChange', { snapshot: session.snapshot(), healthy: cause === 'recovered', cause, reason });
  }

  opened({ key }: Subject, stream: Duplex, attempt: number, startedAt: number): void {
    if (this.has('onOpen')) {
      const durationMs = this.#clock.now() - startedAt;
      this.call('onOpen', { sessionKey: key, stream, attempt, durationMs });
    }
    if (this.has('onStreamClose')) this.#watch(key, stream);
  }

  /** One more listener on the stream, for those alone who asked for it; the slot is free when it is called. */
  #watch(sessionKey: string, stream: Duplex): void {
    const openedAt = this.#clock.now();
    const closed = (): void => {
      const durationMs = this.#clock.now() - openedAt;
      this.call('onStreamClose', { sessionKey, stream, error: stream.errored ?? undefined, durationMs });
    };
    if (stream.closed) closed();
    else stream.once('close', closed);
  }

  openFailed(last: Subject | undefined, attempt: number, startedAt: number, error: unknown, aborted: boolean): void {
    if (!this.has('onOpenError')) return;
    const durationMs = this.#clock.now() - startedAt;
    this.call('onOpenError', { sessionKey: last?.key, attempt, durationMs, error, aborted });
  }

  retried(session: Subject, failed: Subject, attempt: number, error: unknown): void {
    if (!this.has('onRetry')) return;
    this.call('onRetry', { sessionKey: session.key, attempt, failedSessionKey: failed.key, error });
  }

  /** `sessions` are counted only if anybody listens. */
  sessionNeeded(routing: RoutingContext, waiting: number, sessions: () => number): void {
    if (!this.has('onSessionNeeded')) return;
    this.call('onSessionNeeded', { routing, waiting, sessions: sessions() });
  }

  affinityBound(event: AffinityBindEvent): void {
    this.call('onAffinityBind', event);
  }

  affinityEvicted(event: AffinityEvictEvent): void {
    this.call('onAffinityEvict', event);
  }

  #panicked(hook: string, error: unknown): void {
    // A hook for panics that panics itself is reported to the process: there is no other hook for that.
    if (hook === 'onHookPanic') {
      process.emitWarning(`onHookPanic of a session pool threw: ${String(error)}`, 'YamuxPoolWarning');
      return;
    }
    this.call('onHookPanic', { hook, error });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
