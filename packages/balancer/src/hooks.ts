// What a pool tells its owner and the process, and the wall between them: a hook that throws or rejects changes nothing in the
// pool. Every event comes through here, for the hooks and for diagnostics_channel.
import { checkObject, checkOneOf } from './checks.ts';
import { CHANNELS } from './diagnostics.ts';
import type { PoolEvents } from './events.ts';

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
  for (const [name, hook] of Object.entries(hooks)) {
    checkOneOf('the name of a hook', name, NAMES);
    if (hook !== undefined && typeof hook !== 'function') {
      throw new TypeError(`Expected hooks.${name} to be a function, got ${typeof hook}`);
    }
  }
}

export class Hooks {
  readonly #hooks: PoolHooks;
  readonly #pool: object;

  constructor(hooks: PoolHooks, pool: object) {
    this.#hooks = hooks;
    this.#pool = pool;
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
