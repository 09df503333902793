// What a pool tells its owner, and the wall between the two: a hook that throws or rejects changes nothing in the pool.
import { checkObject, checkOneOf } from './checks.ts';
import type { SessionSnapshot } from './stats.ts';

export interface HealthEvent {
  readonly snapshot: SessionSnapshot;
  readonly healthy: boolean;
  /** For people: what made it so. */
  readonly reason: string;
}

export interface SessionAddedEvent {
  readonly snapshot: SessionSnapshot;
}

export interface SessionRemovedEvent {
  readonly snapshot: SessionSnapshot;
  /** `'closed'`: the session ended. `'removed'`: somebody called `remove()`. `'pool-closed'`: the pool let go of it. */
  readonly reason: 'closed' | 'removed' | 'pool-closed';
  /** The error with which the session ended, if it told one. */
  readonly error: Error | undefined;
}

export interface DrainEvent {
  readonly snapshot: SessionSnapshot;
  /** False when it takes streams again. */
  readonly draining: boolean;
}

export interface OpenEvent {
  readonly sessionKey: string;
  /** 1 for the first session that this open tried. */
  readonly attempt: number;
}

export interface OpenErrorEvent extends OpenEvent {
  readonly error: unknown;
}

export interface StreamCloseEvent {
  readonly sessionKey: string;
  /** What the stream ended with; undefined after a clean end. */
  readonly error: Error | undefined;
}

/** A key is bound, or bound anew; told by diagnostics_channel alone. */
export interface AffinityBindEvent {
  /** Which part of the routing the key came from. */
  readonly kind: 'affinityKey' | 'sourceIp';
  readonly key: string;
  readonly sessionKey: string;
}

export interface AffinityEvictEvent extends AffinityBindEvent {
  /** `'ttl'`: not used for so long. `'cap'`: the least recently used of too many. `'removed'`: its session left. */
  readonly reason: 'ttl' | 'cap' | 'removed';
}

export interface HookPanicEvent {
  /** The name of the hook, or of what else threw: `'failureClassifier'`, `'strategy.opened'`. */
  readonly hook: string;
  readonly error: unknown;
}

/**
 * Called synchronously, once the pool's state is what the event says; a hook may call back into the pool. What a hook throws,
 * or what its promise rejects with, goes to `onHookPanic` and nowhere else.
 */
export interface PoolHooks {
  readonly onHealthChange?: ((event: HealthEvent) => unknown) | undefined;
  readonly onSessionAdded?: ((event: SessionAddedEvent) => unknown) | undefined;
  readonly onSessionRemoved?: ((event: SessionRemovedEvent) => unknown) | undefined;
  readonly onDrain?: ((event: DrainEvent) => unknown) | undefined;
  readonly onOpen?: ((event: OpenEvent) => unknown) | undefined;
  readonly onOpenError?: ((event: OpenErrorEvent) => unknown) | undefined;
  readonly onStreamClose?: ((event: StreamCloseEvent) => unknown) | undefined;
  readonly onAffinityEvict?: ((event: AffinityEvictEvent) => unknown) | undefined;
  readonly onHookPanic?: ((event: HookPanicEvent) => unknown) | undefined;
}

const NAMES: readonly (keyof PoolHooks)[] = [
  'onHealthChange',
  'onSessionAdded',
  'onSessionRemoved',
  'onDrain',
  'onOpen',
  'onOpenError',
  'onStreamClose',
  'onAffinityEvict',
  'onHookPanic',
];

/** @throws TypeError: a hook with a name that is never called would be missed only when it is needed. */
export function checkHooks(hooks: PoolHooks): void {
  checkObject('hooks', hooks);
  for (const [name, hook] of Object.entries(hooks)) {
    checkOneOf('the name of a hook', name, NAMES);
    if (hook !== undefined && typeof hook !== 'function') {
      throw new TypeError(`Expected hooks.${name} to be a function, got ${typeof hook}`);
    }
  }
}

export class Hooks {
  readonly #hooks: PoolHooks;

  constructor(hooks: PoolHooks) {
    this.#hooks = hooks;
  }

  /** Whether anybody listens: events are made only then. */
  has(name: keyof PoolHooks): boolean {
    return this.#hooks[name] !== undefined;
  }

  call<Name extends keyof PoolHooks>(name: Name, event: Parameters<NonNullable<PoolHooks[Name]>>[0]): void {
    const hook = this.#hooks[name] as ((event: unknown) => unknown) | undefined;
    if (hook === undefined) return;
    this.guard(name, () => hook(event));
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

  #panicked(hook: string, error: unknown): void {
    // Whoever reports panics and panics himself is told nothing: there is nobody left to tell but the process.
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
