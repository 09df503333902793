// Writes down all that a pool tells, in order, with what the pool said of itself at that moment.
import { CHANNELS } from '../../src/observe/diagnostics.ts';
import type { PoolEvents } from '../../src/observe/events.ts';
import type { PoolHooks } from '../../src/observe/hooks.ts';

export type Told = { readonly [Name in keyof PoolEvents]: readonly [Name, PoolEvents[Name]] }[keyof PoolEvents];

export const HOOK_NAMES: readonly (keyof PoolEvents)[] = Object.keys(CHANNELS) as (keyof PoolEvents)[];

export class Recorder {
  readonly told: Told[] = [];
  /** All hooks that there are. */
  readonly hooks: PoolHooks;

  constructor() {
    const hook = (name: keyof PoolEvents) => (event: unknown) => void this.told.push([name, event] as Told);
    this.hooks = Object.fromEntries(HOOK_NAMES.map((name) => [name, hook(name)]));
  }

  get names(): string[] {
    return this.told.map(([name]) => name);
  }

  of<Name extends keyof PoolEvents>(name: Name): PoolEvents[Name][] {
    return this.told.filter(([told]) => told === name).map(([, event]) => event as PoolEvents[Name]);
  }
}
