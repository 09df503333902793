// `@zishuo/yamux-fleet/prometheus`: the figures of a node as metrics of prom-client, read at each scrape. Names, nodes and addresses are never labels.
import { Counter, Gauge, type OpenMetricsContentType, type Registry as PrometheusRegistry } from 'prom-client';
import { checkOptions, checkText } from './checks.ts';
import type { Fleet } from './fleet.ts';
import type { FleetStats } from './stats.ts';

/** A registry for either format that prom-client writes. */
type Registry = PrometheusRegistry | PrometheusRegistry<OpenMetricsContentType>;

/** Of {@link registerFleetMetrics}. */
export interface FleetMetricsOptions {
  /**
   * The value of the label `fleet`, different for each fleet of a registry.
   * @defaultValue 'default'
   */
  readonly name?: string | undefined;
}

/** A value, or one for each value of the label; undefined if there is none. */
type Read = (stats: FleetStats) => number | undefined | Readonly<Record<string, number>>;

interface Metric {
  readonly kind: typeof Gauge | typeof Counter;
  readonly name: string;
  readonly help: string;
  readonly label?: string;
  readonly read: Read;
}

const METRICS: readonly Metric[] = [
  {
    kind: Gauge,
    name: 'nodes',
    help: 'Nodes that this one knows, itself included.',
    label: 'state',
    read: ({ nodes, nodesReachable }) => ({ reachable: nodesReachable, unreachable: nodes - nodesReachable }),
  },
  {
    kind: Gauge,
    name: 'names',
    help: 'Names: with own sessions, of these those that the directory has yet to confirm, cached, and remembered to have no session.',
    label: 'state',
    read: ({ names, namesUntold, namesCached, namesUnknown }) => ({
      own: names,
      untold: namesUntold,
      cached: namesCached,
      unknown: namesUnknown,
    }),
  },
  {
    kind: Gauge,
    name: 'directory_up',
    help: '1 while the directory answers; else what was last known is served.',
    read: ({ directoryDownMs }) => Number(directoryDownMs === undefined),
  },
  {
    kind: Gauge,
    name: 'beat_age_seconds',
    help: 'Time since the directory answered a beat.',
    read: ({ beatAgeMs }) => (beatAgeMs === undefined ? undefined : beatAgeMs / 1_000),
  },
  {
    kind: Gauge,
    name: 'links_in',
    help: 'Sessions that other nodes have to this one.',
    read: ({ linksIn }) => linksIn,
  },
  { kind: Counter, name: 'beats_total', help: 'Beats that were sent to the directory.', read: ({ beats }) => beats },
  {
    kind: Counter,
    name: 'beat_failures_total',
    help: 'Of these, those without an answer.',
    read: ({ beatFailures }) => beatFailures,
  },
  {
    kind: Counter,
    name: 'lookups_total',
    help: 'Names that the directory was asked for.',
    read: ({ lookups }) => lookups,
  },
  {
    kind: Counter,
    name: 'lookup_failures_total',
    help: 'Of these, those without an answer.',
    read: ({ lookupFailures }) => lookupFailures,
  },
  {
    kind: Counter,
    name: 'lookups_limited_total',
    help: 'Unknown names that were not asked for, because there were too many.',
    read: ({ lookupsLimited }) => lookupsLimited,
  },
  {
    kind: Counter,
    name: 'forwards_out_total',
    help: 'Streams that were asked of other nodes.',
    read: ({ forwardsOut }) => forwardsOut,
  },
  {
    kind: Counter,
    name: 'forwards_in_total',
    help: 'Streams that other nodes asked for, by what became of them.',
    label: 'result',
    read: ({ forwardsIn }) => forwardsIn,
  },
  {
    kind: Counter,
    name: 'open_retries_total',
    help: 'Opens that went on to another node.',
    read: ({ retries }) => retries,
  },
  {
    kind: Counter,
    name: 'peers_rejected_total',
    help: 'Connections to the peer port that were turned away.',
    read: ({ peersRejected }) => peersRejected,
  },
];

/** The fleets of each registry, by name. */
const registered = new WeakMap<Registry, Map<string, Fleet>>();

/**
 * Registers the `yamux_fleet_*` metrics of a fleet. Several fleets can share a registry under different names. Returns a function that removes them.
 * @throws TypeError for a wrong option, Error for a name that another fleet of the registry has.
 */
export function registerFleetMetrics(registry: Registry, fleet: Fleet, options: FleetMetricsOptions = {}): () => void {
  checkOptions('registerFleetMetrics()', options, ['name']);
  const { name = 'default' } = options;
  checkText('name', name);
  const known = registered.get(registry);
  if (known?.has(name) === true) {
    throw new Error(`The registry has a fleet named '${name}' already; give this one another name`);
  }
  const fleets = known ?? new Map<string, Fleet>();
  if (known === undefined) {
    for (const metric of METRICS) register(registry, metric, fleets);
    registered.set(registry, fleets);
  }
  fleets.set(name, fleet);
  return () => {
    if (fleets.get(name) !== fleet) return;
    fleets.delete(name);
    if (fleets.size > 0) return;
    for (const metric of METRICS) registry.removeSingleMetric(fullName(metric));
    registered.delete(registry);
  };
}

function register(registry: Registry, metric: Metric, fleets: ReadonlyMap<string, Fleet>): void {
  const { kind: Kind, help, label, read } = metric;
  new Kind({
    name: fullName(metric),
    help,
    labelNames: label === undefined ? ['fleet'] : ['fleet', label],
    registers: [registry],
    collect(this: Gauge | Counter) {
      this.reset();
      for (const [fleet, one] of fleets) {
        const value = read(one.stats());
        if (typeof value === 'number') this.inc({ fleet }, value);
        else for (const [of, count] of Object.entries(value ?? {})) this.inc({ fleet, [label as string]: of }, count);
      }
    },
  });
}

function fullName({ name }: Metric): string {
  return `yamux_fleet_${name}`;
}
