import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { affinity } from '../src/choosing/strategies/affinity.ts';
import { SessionPool } from '../src/pool.ts';
import { registerPoolMetrics } from '../src/prometheus.ts';
import { FakeSession } from '../src/testing.ts';

/** What only a program without types can pass. */
const loose = (options: object): never => options as never;

describe('an unknown name', () => {
  const pool = new SessionPool();
  const ref = pool.add(new FakeSession().answers(), { key: 'a' });

  it.each([
    ['a pool', () => new SessionPool(loose({ strategie: 'random' })), "option 'strategie' of a pool", 'strategy'],
    ['a session', () => pool.add(new FakeSession(), loose({ wieght: 2 })), "option 'wieght' of a session", 'weight'],
    ['a routing', () => pool.explain(loose({ sesionId: 'x' })), "name 'sesionId' of a routing", 'sessionId'],
    ['hooks', () => new SessionPool({ hooks: loose({ onOpened: () => {} }) }), "hook 'onOpened' of a pool", 'onOpen'],
    ['affinity', () => affinity(loose({ max: 5 })), "option 'max' of affinity", 'maxBindings'],
    ['onUnavailable', () => affinity({ onUnavailable: loose({ drain: 'spill' }) }), "'drain'", 'draining'],
    ['a drain', () => ref.drain(loose({ timeOut: 5 })), "option 'timeOut' of a drain", 'timeout'],
    ['stats()', () => pool.stats(loose({ session: false })), "option 'session' of stats()", 'sessions'],
    [
      'metrics',
      () => registerPoolMetrics(new Registry(), pool, loose({ labels: [] })),
      "option 'labels' of registerPoolMetrics()",
      'sessionLabels',
    ],
  ])('of %s is a TypeError that names the nearest', (_of, call, said, nearest) => {
    let error: unknown;
    try {
      call();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain(said);
    expect((error as Error).message).toContain(`the nearest is '${nearest}'`);
  });

  it.each([
    ['the options of an open', () => pool.open({}, loose({ acknowledge: true })), 'acknowledged'],
    ['the routing of an open', () => pool.open(loose({ afinityKey: 'x' })), 'affinityKey'],
    ['close()', () => pool.close(loose({ time: 5 })), 'timeout'],
  ])('in %s rejects with one, and nothing has happened', async (_of, call, nearest) => {
    await expect(call()).rejects.toThrow(`the nearest is '${nearest}'`);
    expect(pool.stats()).toMatchObject({ openAttempts: 0, sessionsTotal: 1 });
  });

  it('that an object only inherits is not its own', async () => {
    const routing = Object.create({ colour: 'blue' }) as object;
    await expect(pool.openStream(routing)).resolves.toMatchObject({ session: { key: 'a' } });
  });
});
