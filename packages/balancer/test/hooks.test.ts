import { describe, expect, it } from 'vitest';
import { Hooks, type PoolHooks } from '../src/hooks.ts';
import { SessionPool } from '../src/pool.ts';
import { queueDrained } from './support/fake-session.ts';

describe('Hooks', () => {
  it('tells onHookPanic what a hook throws, and what its promise rejects with', async () => {
    const panics: unknown[] = [];
    const thrown = new Error('thrown');
    const rejected = new Error('rejected');
    const hooks = new Hooks({
      onOpen: () => {
        throw thrown;
      },
      onOpenError: () => Promise.reject(rejected),
      onHookPanic: (event) => panics.push(event),
    });
    hooks.call('onOpen', { sessionKey: 'a', attempt: 1 });
    hooks.call('onOpenError', { sessionKey: 'a', attempt: 1, error: undefined });
    await queueDrained();
    expect(panics).toEqual([
      { hook: 'onOpen', error: thrown },
      { hook: 'onOpenError', error: rejected },
    ]);
  });

  it('warns the process when onHookPanic itself throws, and goes on', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const hooks = new Hooks({
      onOpen: () => {
        throw new Error('one');
      },
      onHookPanic: () => {
        throw new Error('two');
      },
    });
    hooks.call('onOpen', { sessionKey: 'a', attempt: 1 });
    expect(await warned).toMatchObject({ name: 'YamuxPoolWarning', message: expect.stringContaining('two') });
  });

  it.each([
    [{ onopen: () => {} }, 'Expected the name of a hook to be one of onHealthChange, '],
    [{ onOpen: 'log' }, 'Expected hooks.onOpen to be a function, got string'],
    ['onOpen', 'Expected hooks to be an object, got onOpen'],
  ])('refuses the hooks %o', (hooks, message) => {
    expect(() => new SessionPool({ hooks: hooks as PoolHooks })).toThrow(message);
  });
});
