import { hasSubscribers } from 'node:diagnostics_channel';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { affinity, SessionPool } from '../src/index.ts';
import { registerPoolMetrics as register } from '../src/prometheus.ts';
import { FakeSession, ManualClock } from '../src/testing.ts';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (-?[0-9.e+-]+|\+Inf|NaN)$/;
const LABEL = /([a-z_]+)="((?:[^"\\\n]|\\.)*)"/g;

/** Reads the text format strictly: each line is a comment of the two kinds or a sample of the metric that was introduced last. */
function parse(text: string): Sample[] {
  const samples: Sample[] = [];
  let introduced = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = /^# HELP ([a-z_]+) .+\.$/.exec(line);
    if (help?.[1] !== undefined) {
      introduced = help[1];
      continue;
    }
    const type = /^# TYPE ([a-z_]+) (?:gauge|counter|histogram)$/.exec(line);
    if (type !== null) {
      expect(type[1]).toBe(introduced);
      continue;
    }
    const [, name = '', labels = '', value] = SAMPLE.exec(line) ?? [];
    expect(name.replace(/_(?:bucket|sum|count)$/, ''), line).toBe(introduced);
    const pairs = Array.from(labels.matchAll(LABEL), ([, label, text]) => [label as string, text as string]);
    samples.push({ name, labels: Object.fromEntries(pairs), value: Number(value?.replace('+Inf', 'Infinity')) });
  }
  return samples;
}

async function scrape(registry: Registry): Promise<(name: string, labels?: object) => number | undefined> {
  const samples = parse(await registry.metrics());
  return (name, labels = { pool: 'default' }) => {
    const found = samples.filter((one) => one.name === `yamux_pool_${name}`);
    const [sample, ...more] = found.filter(
      (one) => JSON.stringify(sorted(one.labels)) === JSON.stringify(sorted(labels)),
    );
    expect(more).toEqual([]);
    return sample?.value;
  };
}

const sorted = (labels: object): [string, unknown][] => Object.entries(labels).sort(([a], [b]) => a.localeCompare(b));
const of = (labels: object): object => ({ pool: 'default', ...labels });

const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const registerPoolMetrics: typeof register = (...args) => {
  const end = register(...args);
  ends.push(end);
  return end;
};

describe('registerPoolMetrics()', () => {
  it('has every session in one state, so that they add up', async () => {
    const registry = new Registry();
    const pool = new SessionPool({ healthFailureThreshold: 1, openAttempts: 1, clock: new ManualClock() });
    registerPoolMetrics(registry, pool);
    pool.add(new FakeSession(), { key: 'free' });
    pool.add(new FakeSession().answers(), { key: 'full', maxActiveStreams: 1 });
    pool.add(new FakeSession().refuses(new Error('broken')), { key: 'unhealthy' });
    pool.add(new FakeSession().answers(), { key: 'draining', maxActiveStreams: 1 });
    await pool.open({ sessionKey: 'full' });
    await pool.open({ sessionKey: 'draining' });
    pool.drainSession('draining');
    await expect(pool.open({ sessionKey: 'unhealthy' })).rejects.toThrow('broken');
    void pool.open({ sessionKey: 'free' });
    const value = await scrape(registry);
    for (const state of ['available', 'full', 'unhealthy', 'draining'])
      expect(value('sessions', of({ state }))).toBe(1);
    expect(value('sessions', of({ state: 'closed' }))).toBe(0);
    expect(value('sessions_probing')).toBe(0);
    expect(value('streams', of({ state: 'active' }))).toBe(2);
    expect(value('streams', of({ state: 'pending' }))).toBe(1);
    expect(value('open_attempts_total')).toBe(4);
    expect(value('open_failures_total')).toBe(1);
  });

  it('counts opens by what they came to, and times them', async () => {
    const registry = new Registry();
    const clock = new ManualClock();
    const pool = new SessionPool({ clock, hooks: { onSessionAdded: () => Promise.reject(new Error('hook')) } });
    registerPoolMetrics(registry, pool);
    await expect(pool.open()).rejects.toThrow('The pool is empty');
    const slow = new FakeSession();
    pool.add(slow, { key: 'slow' });
    const opening = pool.open();
    clock.advance(40);
    slow.openCall(0).resolve();
    await opening;
    const controller = new AbortController();
    const aborted = pool.open({}, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const late = pool.open({}, { timeout: 100 });
    clock.advance(100);
    await expect(late).rejects.toThrow();
    pool.drainSession('slow');
    await expect(pool.open()).rejects.toThrow();
    pool.add(new FakeSession().refuses(new Error('broken')), { key: 'bad' });
    pool.add(new FakeSession().refuses(new Error('broken')), { key: 'worse' });
    await expect(pool.open()).rejects.toThrow('broken');
    const value = await scrape(registry);
    const results = ['ok', 'aborted', 'timeout', 'no_matching_session', 'no_available_session', 'error'];
    expect(results.map((result) => value('opens_total', of({ result })))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(value('open_retries_total')).toBe(1);
    expect(value('open_duration_seconds_count')).toBe(6);
    expect(value('open_duration_seconds_sum')).toBeCloseTo(0.14);
    expect(value('open_duration_seconds_bucket', of({ le: '0.025' }))).toBe(4);
    expect(value('open_duration_seconds_bucket', of({ le: '0.05' }))).toBe(5);
    expect(value('hook_panics_total', of({ hook: 'onSessionAdded' }))).toBe(3);
  });

  it('counts changes of health', async () => {
    const registry = new Registry();
    const clock = new ManualClock();
    const pool = new SessionPool({ clock, healthFailureThreshold: 1, healthProbeInterval: 10 });
    registerPoolMetrics(registry, pool);
    const session = new FakeSession().refuses(new Error('broken'));
    pool.add(session);
    await expect(pool.open()).rejects.toThrow();
    clock.advance(10);
    session.answers();
    await pool.open();
    session.streams[0]?.acknowledge();
    const value = await scrape(registry);
    expect(value('health_changes_total', of({ to: 'unhealthy' }))).toBe(1);
    expect(value('health_changes_total', of({ to: 'healthy' }))).toBe(1);
  });

  it('tells how affinity does, and never a key or an address', async () => {
    const registry = new Registry();
    const clock = new ManualClock();
    const pool = new SessionPool({ clock, strategy: affinity({ ttl: 100, maxBindings: 2 }) });
    registerPoolMetrics(registry, pool, { sessionLabels: ['id'] });
    pool.add(new FakeSession().answers(), { key: 'a', maxActiveStreams: 4 });
    pool.add(new FakeSession().answers(), { key: 'b' });
    for (const affinityKey of ['secret-1', 'secret-1', 'secret-2']) await pool.open({ affinityKey });
    await pool.open({ sourceIp: '198.51.100.7' }); // evicts the first
    pool.drainSession('b');
    await pool.open({ affinityKey: 'secret-2' }); // was on b
    clock.advance(100);
    const value = await scrape(registry);
    expect(value('affinity_bindings')).toBe(0);
    expect(value('affinity_hits_total')).toBe(1);
    expect(value('affinity_misses_total')).toBe(3);
    expect(value('affinity_rebinds_total')).toBe(1);
    expect(value('affinity_spills_total')).toBe(0);
    expect(await registry.metrics()).not.toMatch(/secret|198\.51/);
    const evictions = (await scrape(registry))('affinity_evictions_total', of({ reason: 'cap' }));
    expect(evictions).toBe(1);
  });

  it('has no series of single sessions unless they are asked for, and adds up those with the same labels', async () => {
    const [plain, registry] = [new Registry(), new Registry()];
    const pool = new SessionPool();
    registerPoolMetrics(plain, pool);
    registerPoolMetrics(registry, pool, { sessionLabels: ['id', 'label'] });
    pool.add(new FakeSession().answers(), { id: 'node', label: 'edge "1"\n', weight: 3 });
    const ref = pool.add(new FakeSession().answers(), { id: 'node', label: 'edge "1"\n', weight: 2 });
    pool.add(new FakeSession().answers(), { key: 'c', id: 'other' });
    for (let open = 0; open < 6; open += 1) await pool.open();
    const node = of({ id: 'node', label: 'edge \\"1\\"\\n' });
    const value = await scrape(registry);
    expect(value('session_streams', node)).toBe(4);
    expect(value('session_weight', node)).toBe(5);
    expect(value('session_streams', of({ id: 'other', label: '' }))).toBe(2);
    expect(await plain.metrics()).not.toContain('node');
    ref.remove();
    expect((await scrape(registry))('session_weight', node)).toBe(3);
  });

  it('has many pools in one registry, each under its name, and lets each go', async () => {
    const registry = new Registry();
    const [one, two] = [new SessionPool(), new SessionPool()];
    one.add(new FakeSession().answers());
    two.add(new FakeSession().answers());
    const endOne = registerPoolMetrics(registry, one, { name: 'one' });
    const endTwo = registerPoolMetrics(registry, two, { name: 'two' });
    expect(() => registerPoolMetrics(registry, new SessionPool(), { name: 'two' })).toThrow(
      "a pool named 'two' already",
    );
    await one.open();
    await two.open();
    const value = await scrape(registry);
    expect(value('opens_total', { pool: 'one', result: 'ok' })).toBe(1);
    expect(value('opens_total', { pool: 'two', result: 'ok' })).toBe(1);
    expect(value('sessions', { pool: 'two', state: 'available' })).toBe(1);
    endOne();
    endOne();
    const rest = await registry.metrics();
    expect(rest).not.toContain('pool="one"');
    expect(rest).toContain('yamux_pool_opens_total{pool="two",result="ok"} 1');
    const endAgain = registerPoolMetrics(registry, one, { name: 'one' });
    expect((await scrape(registry))('opens_total', { pool: 'one', result: 'ok' }), 'counted anew').toBeUndefined();
    endAgain();
    endTwo();
    expect(await registry.metrics()).toBe('\n');
    expect(hasSubscribers('yamux:pool:open')).toBe(false);
    registerPoolMetrics(registry, one)();
  });

  it('refuses what is no label', () => {
    const wrong = { sessionLabels: ['affinityKey' as never] };
    expect(() => registerPoolMetrics(new Registry(), new SessionPool(), wrong)).toThrow(
      'Expected a label of sessionLabels to be one of key, id, label, got affinityKey',
    );
  });
});
