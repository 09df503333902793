// What a pool tells of itself, made into events: only where somebody listens, and after the pool's state is what they say.
import type { Duplex } from 'node:stream';
import type { Clock } from './clock.ts';
import type { AffinityBindEvent, AffinityEvictEvent, RemovalReason } from './events.ts';
import type { Hooks } from './hooks.ts';
import type { SessionSnapshot } from './stats.ts';

/** What is told of a session. */
interface Subject {
  readonly key: string;
  snapshot(): SessionSnapshot;
}

export class Observers {
  readonly #hooks: Hooks;
  readonly #clock: Clock;

  constructor(hooks: Hooks, clock: Clock) {
    this.#hooks = hooks;
    this.#clock = clock;
  }

  sessionAdded(session: Subject): void {
    if (this.#hooks.has('onSessionAdded')) this.#hooks.call('onSessionAdded', { snapshot: session.snapshot() });
  }

  sessionRemoved(session: Subject, reason: RemovalReason, error: Error | undefined): void {
    if (!this.#hooks.has('onSessionRemoved')) return;
    this.#hooks.call('onSessionRemoved', { snapshot: session.snapshot(), reason, error });
  }

  drained(session: Subject, draining: boolean): void {
    if (this.#hooks.has('onDrain')) this.#hooks.call('onDrain', { snapshot: session.snapshot(), draining });
  }

  healthChanged(session: Subject, healthy: boolean, reason: string): void {
    if (!this.#hooks.has('onHealthChange')) return;
    this.#hooks.call('onHealthChange', { snapshot: session.snapshot(), healthy, reason });
  }

  opened({ key }: Subject, stream: Duplex, attempt: number, startedAt: number): void {
    if (this.#hooks.has('onOpen')) {
      const durationMs = this.#clock.now() - startedAt;
      this.#hooks.call('onOpen', { sessionKey: key, stream, attempt, durationMs });
    }
    if (this.#hooks.has('onStreamClose')) this.#watch(key, stream);
  }

  /** One more listener on the stream, for those alone who asked for it; the slot is free when it is called. */
  #watch(sessionKey: string, stream: Duplex): void {
    const openedAt = this.#clock.now();
    const closed = (): void => {
      const durationMs = this.#clock.now() - openedAt;
      this.#hooks.call('onStreamClose', { sessionKey, stream, error: stream.errored ?? undefined, durationMs });
    };
    if (stream.closed) closed();
    else stream.once('close', closed);
  }

  openFailed(last: Subject | undefined, attempt: number, startedAt: number, error: unknown, aborted: boolean): void {
    if (!this.#hooks.has('onOpenError')) return;
    const durationMs = this.#clock.now() - startedAt;
    this.#hooks.call('onOpenError', { sessionKey: last?.key, attempt, durationMs, error, aborted });
  }

  retried(session: Subject, failed: Subject, attempt: number, error: unknown): void {
    if (!this.#hooks.has('onRetry')) return;
    this.#hooks.call('onRetry', { sessionKey: session.key, attempt, failedSessionKey: failed.key, error });
  }

  affinityBound(event: AffinityBindEvent): void {
    this.#hooks.call('onAffinityBind', event);
  }

  affinityEvicted(event: AffinityEvictEvent): void {
    this.#hooks.call('onAffinityEvict', event);
  }
}
