// The examples of the Go text from which this package began, in its own order, with real sessions.
import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { client, server } from '@zishuo/yamux';
import { afterEach, describe, expect, it } from 'vitest';
import {
  affinity,
  createStrategy,
  type FailureContext,
  type FailureDecision,
  leastConn,
  mergeSessionMetadata,
  mustStrategy,
  roundRobin,
  type SessionOptions,
  SessionPool,
  type SessionRef,
  StrategyName,
  weighted,
  withSessionLabel,
  withSessionWeight,
} from '../src/index.ts';

const MINUTE = 60_000;

describe('the Go text', () => {
  const pools: SessionPool[] = [];

  afterEach(() => {
    for (const pool of pools.splice(0)) pool.destroy();
  });

  function pooled(options?: ConstructorParameters<typeof SessionPool>[0]): SessionPool {
    const pool = new SessionPool(options);
    pools.push(pool);
    return pool;
  }

  /** Whose peer answers with the name of the node. */
  function join(pool: SessionPool, node: string, options: SessionOptions = {}): SessionRef {
    const [near, far] = duplexPair();
    server(far).on('stream', (stream) => stream.on('error', () => {}).end(node));
    return pool.add(client(near), { id: node, ...options });
  }

  async function nodeOf(opening: Promise<Duplex>): Promise<string> {
    const stream = await opening;
    stream.end();
    return text(stream);
  }

  it('builds a pool as the Go text does', async () => {
    const pool = pooled({
      strategy: affinity({ ttl: 10 * MINUTE, fallback: leastConn() }),
      healthFailureThreshold: 3,
      healthProbeInterval: 30_000,
    });
    const ref = join(pool, 'node-a', { label: 'edge-a', weight: 3, maxActiveStreams: 128 });
    expect(ref.snapshot()).toMatchObject({ id: 'node-a', label: 'edge-a', weight: 3, maxActiveStreams: 128 });
    expect(await nodeOf(pool.open({ affinityKey: 'tenant-1' }))).toBe('node-a');
  });

  it('takes sessions in turn unless it is told otherwise', async () => {
    const pool = pooled();
    for (const node of ['a', 'b', 'c']) join(pool, node);
    const nodes: string[] = [];
    for (let open = 0; open < 6; open += 1) nodes.push(await nodeOf(pool.open()));
    expect(nodes.join('')).toBe('abcabc');
  });

  it('opens by tenant, by node and by zone', async () => {
    const pool = pooled({ strategy: affinity({ ttl: 5 * MINUTE, fallback: roundRobin() }) });
    join(pool, 'edge', { metadata: { zone: 'north' } });
    join(pool, 'core', { metadata: { zone: 'north' } });
    join(pool, 'edge', { metadata: { zone: 'south', canary: 'true' } });
    const tenants = ['t1', 't2', 't3'];
    const first = await Promise.all(tenants.map((affinityKey) => nodeOf(pool.open({ affinityKey }))));
    const again = await Promise.all(tenants.map((affinityKey) => nodeOf(pool.open({ affinityKey }))));
    expect(again).toEqual(first);
    const { session, stream } = await pool.openStream({ sessionId: 'edge', requiredMetadata: { zone: 'south' } });
    expect(session.snapshot()).toMatchObject({ id: 'edge', metadata: { zone: 'south' } });
    stream.resume().end();
    await once(stream, 'close');
    await expect(pool.open({ sessionId: 'edge', requiredMetadata: { zone: 'west' } })).rejects.toMatchObject({
      name: 'NoMatchingSessionError',
      code: 'ERR_YAMUX_POOL_NO_MATCHING_SESSION',
    });
  });

  it('drains a session and has it back', async () => {
    const pool = pooled();
    const [leaving] = [join(pool, 'a'), join(pool, 'b')];
    const began = Date.now();
    await leaving.drain('rolling update').done;
    expect(leaving.snapshot()).toMatchObject({ draining: true, drainReason: 'rolling update' });
    expect(leaving.snapshot().drainStartedAt).toBeGreaterThanOrEqual(began);
    expect(pool.stats()).toMatchObject({ sessionsDraining: 1, sessionsAvailable: 1 });
    expect([await nodeOf(pool.open()), await nodeOf(pool.open())]).toEqual(['b', 'b']);
    expect(leaving.resume()).toBe(true);
    expect(await nodeOf(pool.open())).toBe('a');
  });

  it('changes a session while it is pooled', async () => {
    const pool = pooled({ strategy: weighted() });
    const ref = join(pool, 'a');
    expect(ref.update(withSessionWeight(5), mergeSessionMetadata({ canary: 'true' }))).toMatchObject({
      weight: 5,
      metadata: { canary: 'true' },
    });
    const changed = pool.updateSession(
      ref.key,
      withSessionLabel('edge-canary'),
      withSessionWeight(8),
      mergeSessionMetadata({ version: 'v2' }),
    );
    expect(changed).toMatchObject({ label: 'edge-canary', weight: 8, metadata: { canary: 'true', version: 'v2' } });
    expect(await nodeOf(pool.open({ requiredMetadata: { version: 'v2' } }))).toBe('a');
  });

  it('makes strategies by name', () => {
    const strategy = createStrategy(StrategyName.Affinity, { ttl: 5 * MINUTE, fallback: weighted() });
    expect(strategy.name).toBe('affinity');
    expect(mustStrategy('round-robin').name).toBe('round-robin');
    const names = ['round-robin', 'random', 'weighted', 'least-conn', 'affinity'];
    expect(Object.values(StrategyName)).toEqual(expect.arrayContaining(names));
    expect(() => mustStrategy('fastest' as never)).toThrow(expect.objectContaining({ name: 'InvalidStrategyError' }));
  });

  it('decides by a FailureClassifier which errors count', async () => {
    const seen: FailureContext[] = [];
    const failureClassifier = (context: FailureContext): FailureDecision => {
      seen.push(context);
      const { code } = context.error as { code?: string };
      return context.operation === 'stream-write' && code === 'ETIMEDOUT' ? 'count' : 'ignore';
    };
    const pool = pooled({ healthFailureThreshold: 2, failureClassifier });
    const ref = join(pool, 'a');
    const fail = async (error: Error): Promise<void> => {
      const stream = (await pool.open()).on('error', () => {});
      const closed = new Promise<void>((resolve) => stream.once('close', resolve));
      stream.destroy(error);
      await closed;
    };
    for (let failure = 0; failure < 3; failure += 1) await fail(new Error('of the business'));
    expect(ref.snapshot()).toMatchObject({ healthy: true, consecutiveFailures: 0 });
    const deadline = Object.assign(new Error('deadline'), { code: 'ETIMEDOUT', syscall: 'write' });
    for (let failure = 0; failure < 2; failure += 1) await fail(deadline);
    expect(ref.snapshot()).toMatchObject({ healthy: false, consecutiveFailures: 2 });
    expect(new Set(seen.map(({ operation }) => operation))).toEqual(new Set(['stream-read', 'stream-write']));
  });

  it('tells of a change of health by a hook', async () => {
    const told: string[] = [];
    const pool = pooled({
      healthFailureThreshold: 1,
      openAttempts: 1,
      hooks: {
        onHealthChange: ({ snapshot, healthy, reason }) => told.push(`${snapshot.id} ${healthy}: ${reason}`),
      },
    });
    const { session } = join(pool, 'edge-a');
    session.open = () => Promise.reject(new Error('no route to host'));
    await expect(pool.open()).rejects.toThrow('no route to host');
    expect(told).toEqual(['edge-a false: 1 failure in a row, the last: no route to host']);
  });
});
