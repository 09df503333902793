import { describe, expect, it } from 'vitest';
import { Hooks, type PoolHooks } from '../../src/observe/hooks.ts';
import { SessionPool } from '../../src/pool.ts';
import { queueDrained } from '../../src/testing.ts';

const BOUND = { kind: 'affinityKey', key: 'tenant', sessionKey: 'a' } as const;

const hooksOf = (hooks: PoolHooks): Hooks => new Hooks(hooks, {});

describe('Hooks', () => {
  it('tells onHookPanic what a hook throws, and what its promise rejects with', async () => {
    const panics: unknown[] = [];
    const thrown = new Error('thrown');
    const rejected = new Error('rejected');
    const hooks = hooksOf({
      onAffinityBind: () => {
        throw thrown;
      },
      onAffinityEvict: () => Promise.reject(rejected),
      onHookPanic: (event) => panics.push(event),
    });
    hooks.call('onAffinityBind', BOUND);
    hooks.call('onAffinityEvict', { ...BOUND, reason: 'ttl' });
    await queueDrained();
    expect(panics).toEqual([
      { hook: 'onAffinityBind', error: thrown },
      { hook: 'onAffinityEvict', error: rejected },
    ]);
  });

  it('warns the process when onHookPanic itself throws or rejects, and goes on', async () => {
    const warnings: Error[] = [];
    const listener = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listener);
    const onAffinityBind = (): never => {
      throw new Error('one');
    };
    const two = (): never => {
      throw new Error('two');
    };
    hooksOf({ onAffinityBind, onHookPanic: two }).call('onAffinityBind', BOUND);
    hooksOf({ onAffinityBind, onHookPanic: () => Promise.reject(new Error('three')) }).call('onAffinityBind', BOUND);
    await queueDrained();
    process.off('warning', listener);
    const mine = warnings.filter(({ name }) => name === 'YamuxPoolWarning').map(({ message }) => message);
    expect(mine).toEqual([expect.stringContaining('two'), expect.stringContaining('three')]);
  });

  it('calls a hook as a method of the object that it is in', () => {
    class Log {
      readonly keys: string[] = [];
      onAffinityBind({ key }: { readonly key: string }): void {
        this.keys.push(key);
      }
    }
    const log = new Log();
    hooksOf(log).call('onAffinityBind', BOUND);
    expect(log.keys).toEqual(['tenant']);
  });

  it.each([
    [{ onopen: () => {} }, "Unknown hook 'onopen' of a pool; the nearest is 'onOpen'"],
    [{ onOpen: 'log' }, 'Expected hooks.onOpen to be a function, got string'],
    ['onOpen', 'Expected hooks to be an object, got onOpen'],
  ])('refuses the hooks %o', (hooks, message) => {
    expect(() => new SessionPool({ hooks: hooks as PoolHooks })).toThrow(message);
  });
});
