// `@zishuo/yamux-balancer/prometheus`: what a pool tells, as metrics of prom-client. Gauges are read from the pool when they are asked for;
// counters that the pool does not keep itself are counted from its diagnostics channels. No affinity key and no address is ever a label.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  Counter,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  type Registry as PrometheusRegistry,
} from 'prom-client';
import { checkOneOf, checkOptions, checkString } from './checks.ts';
import type { PoolMessages } from './observe/diagnostics.ts';
import type { AffinityStats, SessionSnapshot } from './observe/stats.ts';
import type { SessionPool } from './pool.ts';

/** For either of the formats that prom-client writes. */
type Registry = PrometheusRegistry | PrometheusRegistry<OpenMetricsContentType>;

/** What tells the sessions of one pool apart. */
export type SessionLabel = 'key' | 'id' | 'label';

/** Of {@link registerPoolMetrics}. */
export interface PoolMetricsOptions {
  /**
   * The value of the label `pool`, its own for each pool of a registry.
   * @defaultValue 'default'
   */
  readonly name?: string | undefined;
  /**
   * Series for each session, with these labels; sessions with the same values are added up. Each session is some series more: choose what
   * there are few of. Without it there are none.
   */
  readonly sessionLabels?: readonly SessionLabel[] | undefined;
}

/** What is counted from the channels of a pool. */
type Counted = 'opens' | 'retries' | 'healthChanges' | 'ejections' | 'needed' | 'hookPanics' | 'evictions';

interface Source {
  readonly pool: SessionPool;
  readonly sessionLabels: readonly SessionLabel[];
  /** How often, by the value of the one label; by '' where there is none. */
  readonly counts: Readonly<Record<Counted, Map<string, number>>>;
}

const SESSION_LABELS: readonly SessionLabel[] = ['key', 'id', 'label'];
/** Seconds: an open is a round trip at most, unless it waits. */
const OPEN_BUCKETS: readonly number[] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const registered = new WeakMap<Registry, PoolMetrics>();

/**
 * Registers the `yamux_pool_*` metrics of a pool. Any number of pools share a registry under different names. Returns what takes them
 * out again.
 * @throws TypeError for a wrong option, Error for a name that another pool of the registry has.
 */
export function registerPoolMetrics(
  registry: Registry,
  pool: SessionPool,
  options: PoolMetricsOptions = {},
): () => void {
  checkOptions('registerPoolMetrics()', options, ['name', 'sessionLabels']);
  const { name = 'default', sessionLabels = [] } = options;
  checkString('name', name);
  for (const label of sessionLabels) checkOneOf('a label of sessionLabels', label, SESSION_LABELS);
  let metrics = registered.get(registry);
  if (metrics === undefined) {
    metrics = new PoolMetrics(registry);
    registered.set(registry, metrics);
  }
  return metrics.add(name, pool, sessionLabels);
}

class PoolMetrics {
  readonly #registry: Registry;
  readonly #sources = new Map<string, Source>();
  readonly #names: string[] = [];
  readonly #openSeconds: Histogram;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#sessions();
    this.#gauge(
      'streams',
      'Streams that the pool opened and that are not fully closed, and opens that wait.',
      ['state'],
      (pool, set) => {
        const { activeStreams, pendingStreams } = pool.stats({ sessions: false });
        set(activeStreams, { state: 'active' });
        set(pendingStreams, { state: 'pending' });
      },
    );
    this.#gauge('waiting_opens', 'Opens that wait until a session can serve them.', [], (pool, set) =>
      set(pool.stats({ sessions: false }).waitingOpens),
    );
    this.#gauge('panic', '1 while so few sessions are healthy that health is ignored.', [], (pool, set) =>
      set(Number(pool.stats({ sessions: false }).panic)),
    );
    this.#total(
      'open_attempts_total',
      'Sessions that were asked for a stream.',
      (pool) => pool.stats({ sessions: false }).openAttempts,
    );
    this.#total(
      'open_failures_total',
      'Of these, those that gave none.',
      (pool) => pool.stats({ sessions: false }).openFailures,
    );
    this.#affinity();
    this.#perSession();
    this.#counted('opens', 'opens_total', 'Opens that have ended, by what they came to.', 'result');
    this.#counted('retries', 'open_retries_total', 'Opens that went on to another session.');
    this.#counted('healthChanges', 'health_changes_total', 'Sessions that turned healthy or unhealthy.', 'to');
    this.#counted('ejections', 'outlier_ejections_total', 'Sessions that were ejected as outliers.');
    this.#counted('needed', 'sessions_needed_total', 'How often the owner was told that a session is needed.');
    this.#counted('hookPanics', 'hook_panics_total', 'Hooks and other foreign code that threw.', 'hook');
    this.#counted('evictions', 'affinity_evictions_total', 'Bindings that are gone, by why.', 'reason');
    this.#openSeconds = new Histogram({
      ...this.#named('open_duration_seconds', 'Time of an open, all its attempts together.'),
      buckets: [...OPEN_BUCKETS],
    });
  }

  add(name: string, pool: SessionPool, sessionLabels: readonly SessionLabel[]): () => void {
    if (this.#sources.has(name))
      throw new Error(`The registry has a pool named '${name}' already; give this one another name`);
    const none = (): Map<string, number> => new Map();
    const counts = {
      opens: none(),
      retries: none(),
      healthChanges: none(),
      ejections: none(),
      needed: none(),
      hookPanics: none(),
      evictions: none(),
    };
    const source: Source = { pool, sessionLabels, counts };
    this.#sources.set(name, source);
    const unsubscribeAll = this.#listen(name, source);
    return () => {
      if (this.#sources.get(name) !== source) return;
      this.#sources.delete(name);
      this.#openSeconds.remove({ pool: name });
      unsubscribeAll();
      if (this.#sources.size === 0) this.#unregister();
    };
  }

  #unregister(): void {
    for (const name of this.#names) this.#registry.removeSingleMetric(name);
    registered.delete(this.#registry);
  }

  #listen(name: string, { pool, counts }: Source): () => void {
    const count = (what: Counted, value = ''): void => void counts[what].set(value, (counts[what].get(value) ?? 0) + 1);
    const ends = [
      hear(pool, 'yamux:pool:open', (open) => {
        count('opens', 'error' in open ? resultOf(open) : 'ok');
        this.#openSeconds.observe({ pool: name }, open.durationMs / 1_000);
      }),
      hear(pool, 'yamux:pool:retry', () => count('retries')),
      hear(pool, 'yamux:pool:session:health', ({ healthy, cause }) => {
        count('healthChanges', healthy ? 'healthy' : 'unhealthy');
        if (cause === 'outlier') count('ejections');
      }),
      hear(pool, 'yamux:pool:session:needed', () => count('needed')),
      hear(pool, 'yamux:pool:hook:panic', ({ hook }) => count('hookPanics', hook)),
      hear(pool, 'yamux:pool:affinity:evict', ({ reason }) => count('evictions', reason)),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  #sessions(): void {
    this.#gauge('sessions', 'Sessions of the pool, each in one state.', ['state'], (pool, set) => {
      const counts = { available: 0, draining: 0, unhealthy: 0, full: 0, closed: 0 };
      for (const session of pool.stats().sessions) counts[stateOf(session)] += 1;
      for (const [state, count] of Object.entries(counts)) set(count, { state });
    });
    this.#gauge(
      'sessions_probing',
      'Unhealthy sessions that are probed, or will be by the next open.',
      [],
      (pool, set) => set(pool.stats({ sessions: false }).sessionsProbing),
    );
  }

  #affinity(): void {
    this.#gauge('affinity_bindings', 'Keys that are bound to a session.', [], (pool, set) => {
      const bindings = pool.stats({ sessions: false }).affinity?.bindings;
      if (bindings !== undefined) set(bindings);
    });
    const total = (what: keyof AffinityStats, help: string): void =>
      this.#total(`affinity_${what}_total`, help, (pool) => pool.stats({ sessions: false }).affinity?.[what]);
    total('hits', 'Picks of the session that the key was bound to.');
    total('misses', 'Picks with a key that was not bound.');
    total('rebinds', 'Picks that moved a binding to another session.');
    total('spills', 'Picks that went elsewhere and left the binding.');
  }

  #perSession(): void {
    this.#ofSessions(
      'session_streams',
      'Active and pending streams of a session.',
      ({ activeStreams, pendingStreams }) => activeStreams + pendingStreams,
    );
    this.#ofSessions('session_weight', 'Weight of a session.', ({ weight }) => weight);
    this.#ofSessions('session_available', 'Sessions that take streams.', ({ available }) => Number(available));
    this.#ofSessions(
      'session_open_attempts',
      'Opens that a session was asked for since it joined.',
      ({ openAttempts }) => openAttempts,
    );
    this.#ofSessions(
      'session_open_failures',
      'Of these, those that gave no stream.',
      ({ openFailures }) => openFailures,
    );
  }

  #ofSessions(name: string, help: string, read: (session: SessionSnapshot) => number): void {
    const gauge: Gauge = this.#gauge(name, help, SESSION_LABELS, (pool, _set, { sessionLabels }, labels) => {
      if (sessionLabels.length === 0) return;
      for (const session of pool.stats().sessions) {
        const own = Object.fromEntries(sessionLabels.map((label) => [label, session[label] ?? '']));
        gauge.inc({ ...labels, ...own }, read(session));
      }
    });
  }

  #gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (
      pool: SessionPool,
      set: (value: number, labels?: Readonly<Record<string, string>>) => void,
      source: Source,
      labels: { readonly pool: string },
    ) => void,
  ): Gauge {
    const sources = this.#sources;
    return new Gauge({
      ...this.#named(name, help, labelNames),
      collect() {
        this.reset();
        for (const [pool, source] of sources) {
          read(source.pool, (value, labels) => this.set({ pool, ...labels }, value), source, { pool });
        }
      },
    });
  }

  /** A counter that the pool keeps itself. */
  #total(name: string, help: string, read: (pool: SessionPool) => number | undefined): void {
    const sources = this.#sources;
    new Counter({
      ...this.#named(name, help),
      collect() {
        this.reset();
        for (const [pool, source] of sources) {
          const value = read(source.pool);
          if (value !== undefined) this.inc({ pool }, value);
        }
      },
    });
  }

  /** A counter that is kept here, for each pool by itself, so that it goes when the pool does. */
  #counted(what: Counted, name: string, help: string, label?: string): void {
    const sources = this.#sources;
    new Counter({
      ...this.#named(name, help, label === undefined ? [] : [label]),
      collect() {
        this.reset();
        for (const [pool, { counts }] of sources) {
          for (const [value, count] of counts[what]) this.inc({ pool, ...(label && { [label]: value }) }, count);
        }
      },
    });
  }

  #named(
    name: string,
    help: string,
    labelNames: readonly string[] = [],
  ): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    const full = `yamux_pool_${name}`;
    this.#names.push(full);
    return { name: full, help, labelNames: ['pool', ...labelNames], registers: [this.#registry] };
  }
}

function hear<Name extends keyof PoolMessages>(
  pool: SessionPool,
  name: Name,
  heard: (message: PoolMessages[Name]) => void,
): () => void {
  const listener = (message: unknown): void => {
    const told = message as PoolMessages[Name];
    if (told.pool === pool) heard(told);
  };
  subscribe(name, listener);
  return () => void unsubscribe(name, listener);
}

function stateOf({
  available,
  draining,
  healthy,
  full,
}: SessionSnapshot): 'available' | 'draining' | 'unhealthy' | 'full' | 'closed' {
  if (available) return 'available';
  if (draining) return 'draining';
  if (!healthy) return 'unhealthy';
  return full ? 'full' : 'closed';
}

const RESULTS: Readonly<Record<string, string>> = {
  ERR_YAMUX_POOL_NO_MATCHING_SESSION: 'no_matching_session',
  ERR_YAMUX_POOL_NO_AVAILABLE_SESSION: 'no_available_session',
  ERR_YAMUX_POOL_OPEN_TIMEOUT: 'timeout',
};

function resultOf({ error, aborted }: { readonly error: unknown; readonly aborted: boolean }): string {
  if (aborted) return 'aborted';
  // By the caller's own AbortSignal.timeout().
  if ((error as { readonly name?: unknown } | null | undefined)?.name === 'TimeoutError') return 'timeout';
  return RESULTS[String((error as { readonly code?: unknown } | null | undefined)?.code)] ?? 'error';
}
