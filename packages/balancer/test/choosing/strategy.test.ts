import { describe, expect, it } from 'vitest';
import { createStrategy, mustStrategy, StrategyName } from '../../src/choosing/strategies/named.ts';
import { roundRobin } from '../../src/choosing/strategies/round-robin.ts';
import type { Candidate, Strategy } from '../../src/choosing/strategy.ts';
import { NoAvailableSessionError } from '../../src/errors.ts';
import { SessionPool } from '../../src/pool.ts';
import { FakeSession } from '../../src/testing.ts';

function poolOf(strategy: Strategy, keys: readonly string[]): SessionPool {
  const pool = new SessionPool({ strategy, openAttempts: 1 });
  for (const key of keys) pool.add(new FakeSession().answers(), { key, weight: key.length, metadata: { key } });
  return pool;
}

const picking = (pick: Strategy['pick']): Strategy => ({ name: 'custom', pick });

describe('a custom strategy', () => {
  it('chooses by the index that it returns', async () => {
    const last = picking((candidates) => candidates.length - 1);
    const pool = poolOf(last, ['a', 'b', 'c']);
    expect((await pool.openStream()).session.key).toBe('c');
  });

  it('sees of each candidate its facts, its load and its turn, and the routing of the open', async () => {
    const seen: unknown[] = [];
    const pool = poolOf(
      picking((candidates, routing) => {
        const { key, id, weight, metadata, load, activeStreams, pendingStreams, rtt } = candidates.at(0) as Candidate;
        seen.push({ key, id, weight, metadata, load, activeStreams, pendingStreams, rtt, routing });
        return 0;
      }),
      ['aa'],
    );
    await pool.open();
    await pool.open({ sessionId: 'aa' });
    const facts = { key: 'aa', id: 'aa', weight: 2, metadata: { key: 'aa' }, pendingStreams: 0, rtt: undefined };
    expect(seen).toEqual([
      { ...facts, load: 0, activeStreams: 0, routing: {} },
      { ...facts, load: 1, activeStreams: 1, routing: { sessionId: 'aa' } },
    ]);
  });

  it('sees the same object for the same session in every pick', async () => {
    const picks = new Map<Candidate, number>();
    const pool = poolOf(
      picking((candidates) => {
        const first = candidates.at(0) as Candidate;
        picks.set(first, (picks.get(first) ?? 0) + 1);
        return 0;
      }),
      ['a'],
    );
    await pool.open();
    await pool.open();
    expect([...picks.values()]).toEqual([2]);
  });

  it('finds the first of its order at index 0, and the others anywhere', async () => {
    const pool = poolOf({ name: 'ordered', order: 'least-loaded', pick: () => 0 }, ['a', 'b']);
    const keys: string[] = [];
    for (let open = 0; open < 4; open += 1) keys.push((await pool.openStream()).session.key);
    expect(keys).toEqual(['a', 'b', 'a', 'b']);
  });

  it.each([
    ['NaN', Number.NaN],
    ['-1', -1],
    ['the length', 2],
    ['a fraction', 0.5],
    ['undefined', undefined],
    ['a string', '0'],
    ['a promise', Promise.resolve(0)],
  ])('makes the open fail when it returns %s, and leaves no trace', async (_what, index) => {
    const pool = poolOf(
      picking(() => index as number),
      ['a', 'b'],
    );
    await expect(pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_INVALID_STRATEGY' });
    expect(pool.stats()).toMatchObject({ sessionsAvailable: 2, activeStreams: 0, pendingStreams: 0, openAttempts: 0 });
  });

  it('makes the open fail with its error as the cause when it throws', async () => {
    const cause = new Error('mine');
    const pool = poolOf(
      picking(() => {
        throw cause;
      }),
      ['a'],
    );
    await expect(pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_INVALID_STRATEGY', cause });
  });

  it('is no unhandled rejection when it is async and rejects', async () => {
    const pool = poolOf(picking((() => Promise.reject(new Error('async'))) as unknown as Strategy['pick']), ['a']);
    await expect(pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_INVALID_STRATEGY' });
  });

  it('cannot change what it is shown', async () => {
    const pool = poolOf(
      picking((candidates) => {
        (candidates.at(0) as { load: number }).load = 99;
        return 0;
      }),
      ['a'],
    );
    await expect(pool.open()).rejects.toMatchObject({ cause: expect.any(TypeError) });
    expect(pool.stats().sessions[0]).toMatchObject({ activeStreams: 0 });
  });

  it('is asked again when it made its own choice unavailable by calling back', async () => {
    const pool: SessionPool = poolOf(
      picking((candidates) => {
        const first = candidates.at(0) as Candidate;
        if (first.key === 'a') pool.drainSession('a');
        return 0;
      }),
      ['a', 'b'],
    );
    expect((await pool.openStream()).session.key).toBe('b');
    pool.drainSession('b');
    await expect(pool.open()).rejects.toThrow(NoAvailableSessionError);
  });

  it('is asked again when it let go of others and its index stands for nobody any more', async () => {
    const pool: SessionPool = poolOf(
      picking((candidates) => {
        const last = candidates.length - 1;
        if (last === 2) pool.drainSession((candidates.at(0) as Candidate).key);
        return last;
      }),
      ['a', 'b', 'c'],
    );
    expect(['b', 'c']).toContain((await pool.openStream()).session.key);
  });

  it('fails when it never lets its choice be, and does not hang', async () => {
    const pool: SessionPool = new SessionPool({
      strategy: picking((candidates) => {
        const { key } = candidates.at(0) as Candidate;
        pool.drainSession(key);
        pool.resumeSession(key === 'a' ? 'b' : 'a');
        return 0;
      }),
    });
    for (const key of ['a', 'b']) pool.add(new FakeSession().answers(), { key, metadata: { zone: 'eu' } });
    await expect(pool.open({ requiredMetadata: { zone: 'eu' } })).rejects.toMatchObject({
      code: 'ERR_YAMUX_POOL_INVALID_STRATEGY',
      message: "Strategy 'custom' made each of its choices unavailable",
    });
    expect(pool.stats()).toMatchObject({ activeStreams: 0, pendingStreams: 0, openAttempts: 0 });
  });

  it('belongs nowhere when its boundTo() returns null', async () => {
    const pool = new SessionPool({
      strategy: { name: 'null', pick: () => 0, boundTo: () => null as never },
      healthFailureThreshold: 1,
      healthProbeInterval: 0,
      openAttempts: 1,
    });
    const failing = new FakeSession().refuses(new Error('broken'));
    pool.add(failing, { key: 'a' });
    pool.add(new FakeSession().answers(), { key: 'b' });
    await expect(pool.open({ sessionKey: 'a' })).rejects.toThrow('broken');
    failing.answers();
    expect((await pool.openStream()).session.key).toBe('a');
    expect(pool.explain().map(({ bound }) => bound)).toEqual([false, false]);
  });

  it('finds a candidate by itself, also among those that the constraints leave', async () => {
    const found: number[][] = [];
    let candidates: Candidate[] = [];
    const pool = poolOf(
      picking((view) => {
        if (candidates.length === 0) candidates = [view.at(0), view.at(1), view.at(2)] as Candidate[];
        found.push(candidates.map((candidate) => view.indexOf(candidate)));
        return 0;
      }),
      ['a', 'b', 'c'],
    );
    await pool.open();
    await pool.open({ requiredMetadata: { key: 'b' } });
    await pool.open({ sessionKey: 'c' });
    pool.removeSession('a');
    await pool.open();
    expect(found.slice(0, 3)).toEqual([
      [0, 1, 2],
      [-1, 0, -1],
      [-1, -1, 0],
    ]);
    expect(found[3]?.[0]).toBe(-1);
    expect([...(found[3] ?? [])].sort()).toEqual([-1, 0, 1]);
  });

  it('is told who joins and leaves, and what became of each attempt, with the routing of its open', async () => {
    const told: string[] = [];
    const tell =
      (what: string) =>
      ({ key }: Candidate, routing?: { affinityKey?: string | undefined }) => {
        told.push([what, key, routing?.affinityKey].filter(Boolean).join(' '));
      };
    const pool = new SessionPool({
      strategy: {
        name: 'told',
        pick: () => 0,
        added: tell('added'),
        removed: tell('removed'),
        opened: tell('opened'),
        failed: tell('failed'),
      },
    });
    const dying = new FakeSession().refuses(new Error('refused'));
    pool.add(dying, { key: 'a' });
    pool.add(new FakeSession().answers(), { key: 'b' });
    await pool.open({ affinityKey: 'x' });
    dying.end();
    expect(told).toEqual(['added a', 'added b', 'failed a x', 'opened b x', 'removed a']);
  });

  it.each(['added', 'removed', 'opened', 'failed', 'affinityStats'] as const)(
    'harms nothing when its %s() throws, and onHookPanic hears of it',
    async (method) => {
      const panics: unknown[] = [];
      const error = new Error('mine');
      const pool = new SessionPool({
        strategy: {
          name: 'hostile',
          pick: () => 0,
          [method]: () => {
            throw error;
          },
        },
        hooks: { onHookPanic: (event) => panics.push(event) },
      });
      const refusing = new FakeSession().refuses(new Error('refused'));
      pool.add(refusing, { key: 'a' });
      pool.add(new FakeSession().answers(), { key: 'b' });
      await pool.open();
      expect(pool.removeSession('a')).toBe(true);
      expect(pool.stats()).toMatchObject({ sessionsTotal: 1, activeStreams: 1, pendingStreams: 0 });
      expect(panics).toContainEqual({ hook: `strategy.${method}`, error });
    },
  );

  it('is refused at construction when its attach() throws, with the cause', () => {
    const cause = new Error('mine');
    const strategy: Strategy = {
      name: 'hostile',
      pick: () => 0,
      attach: () => {
        throw cause;
      },
    };
    expect(() => new SessionPool({ strategy })).toThrow(
      expect.objectContaining({ code: 'ERR_YAMUX_POOL_INVALID_STRATEGY', cause }),
    );
  });

  it('belongs to one pool', () => {
    const strategy = roundRobin();
    new SessionPool({ strategy });
    expect(() => new SessionPool({ strategy })).toThrow("Strategy 'round-robin' belongs to another pool");
  });

  it.each([[42], [null], [{ name: 'no pick' }], [{ name: 'odd', order: 'alphabetical', pick: () => 0 }]])(
    'is refused at construction when it is %o',
    (strategy) => {
      expect(() => new SessionPool({ strategy: strategy as never })).toThrow(
        expect.objectContaining({ code: 'ERR_YAMUX_POOL_INVALID_STRATEGY' }),
      );
    },
  );
});

describe('createStrategy', () => {
  it('makes a new strategy of that name each time', () => {
    for (const name of Object.values(StrategyName)) {
      expect(createStrategy(name).name).toBe(name);
      expect(createStrategy(name)).not.toBe(createStrategy(name));
    }
  });

  it('refuses other names, and tells the ones that it knows', () => {
    expect(() => createStrategy('fastest' as never)).toThrow(
      'Expected the name of a strategy (round-robin, random, weighted, least-conn, affinity, rendezvous, peak-ewma), got fastest',
    );
    expect(() => new SessionPool({ strategy: 'toString' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_YAMUX_POOL_INVALID_STRATEGY' }),
    );
  });

  it('hands options to the strategy that has them, and refuses what it has not', async () => {
    const pool = new SessionPool({ strategy: createStrategy(StrategyName.Affinity, { maxBindings: 1 }) });
    pool.add(new FakeSession().answers());
    for (const affinityKey of ['x', 'y']) await pool.open({ affinityKey });
    expect(pool.stats().affinity?.bindings).toBe(1);
    for (const name of Object.values(StrategyName)) {
      if (name === StrategyName.Affinity) continue;
      const untyped: (name: string, options: object) => unknown = createStrategy as never;
      expect(() => untyped(name, { ttl: 5 })).toThrow(/Strategy '[\w-]+' has no option 'ttl'|Unknown option 'ttl' of /);
    }
  });

  it('is mustStrategy too', () => {
    expect(mustStrategy(StrategyName.Weighted).name).toBe('weighted');
    expect(() => mustStrategy('fastest' as never)).toThrow(
      expect.objectContaining({ code: 'ERR_YAMUX_POOL_INVALID_STRATEGY' }),
    );
  });
});
