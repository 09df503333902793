// /metrics: the metrics of the pool, `yamux_pool_*`, and those of the gateway, `tunnel_*`. Labels have few values, all our own or from tokens that we
// signed. Values that a client chooses, such as a Host, are never labels.
import { registerPoolMetrics } from '@zishuo/yamux-balancer/prometheus';
import { registerFleetMetrics } from '@zishuo/yamux-fleet/prometheus';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ServedRequest } from '../gateway/served.ts';
import type { TunnelGateway } from '../gateway/tunnel-gateway.ts';
import type { Traffic } from './traffic.ts';

/** Seconds. WebSockets and TCP connections are beyond the last one, as they should be. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export class Metrics {
  readonly registry: Registry = new Registry();
  readonly #end: () => void;

  constructor(gateway: TunnelGateway, traffic: Traffic) {
    const registers = [this.registry];
    const endOfPool = registerPoolMetrics(this.registry, gateway.routes.pool, { sessionLabels: ['id'] });
    const endOfFleet = gateway.fleet && registerFleetMetrics(this.registry, gateway.fleet);
    const requests = new Counter({
      name: 'tunnel_requests_total',
      help: 'Requests and TCP connections that are over. Status is the class of the answer, none where there was none.',
      labelNames: ['kind', 'outcome', 'status'],
      registers,
    });
    const seconds = new Histogram({
      name: 'tunnel_request_duration_seconds',
      help: 'From the head of a request, or a TCP connection, to its end.',
      labelNames: ['kind'],
      buckets: DURATION_BUCKETS,
      registers,
    });
    const retries = new Counter({
      name: 'tunnel_request_retries_total',
      help: 'Requests that were sent once more, because the first agent was lost.',
      registers,
    });
    const joined = new Counter({
      name: 'tunnel_sessions_joined_total',
      help: 'Sessions of agents that have joined.',
      registers,
    });
    const refused = new Counter({
      name: 'tunnel_agents_refused_total',
      help: 'Agents that were refused, by the status that they got.',
      labelNames: ['status'],
      registers,
    });
    const { limits } = gateway;
    new Counter({
      name: 'tunnel_clients_limited_total',
      help: 'Connections and requests that were refused, because their address had all that it may have.',
      labelNames: ['what'],
      registers,
      collect() {
        this.reset();
        this.inc({ what: 'connections' }, limits.connections.refused);
        this.inc({ what: 'requests' }, limits.requests.refused);
      },
    });
    gauge(
      registers,
      'tunnel_targets_refusing',
      'Services of sessions whose target takes no connections now.',
      (set) => {
        let count = 0;
        for (const session of gateway.routes.sessions) count += gateway.routes.refusing(session).length;
        set(count);
      },
    );
    gauge(registers, 'tunnel_ready', 'Whether requests should come here: 1 or 0.', (set) =>
      set(gateway.readiness.state === 'serving' ? 1 : 0),
    );
    gauge(registers, 'tunnel_agents', 'Agents with at least one session.', (set) =>
      set(new Set(Array.from(gateway.routes.sessions, ({ claims }) => claims.agent)).size),
    );
    gauge(registers, 'tunnel_agent_sessions', 'Sessions of agents.', (set) => set(gateway.routes.sessions.size));
    gauge(registers, 'tunnel_requests_running', 'Requests that run now, upgrades among them.', (set) =>
      set(gateway.running.requests),
    );
    gauge(registers, 'tunnel_tcp_connections', 'Raw TCP connections that are open now.', (set) =>
      set(gateway.running.tcpConnections),
    );
    new Counter({
      name: 'tunnel_session_bytes_total',
      help: "Bytes over the agents' sessions, frames and heads included. Up is from clients to agents.",
      labelNames: ['direction'],
      registers,
      collect() {
        const { up, down } = traffic.bytes;
        this.reset();
        this.inc({ direction: 'up' }, up);
        this.inc({ direction: 'down' }, down);
      },
    });

    const onServed = ({ kind, outcome, status, tries, milliseconds }: ServedRequest): void => {
      requests.inc({ kind, outcome, status: status === undefined ? 'none' : `${Math.floor(status / 100)}xx` });
      seconds.observe({ kind }, milliseconds / 1_000);
      if (tries > 1) retries.inc(tries - 1);
    };
    const onJoined = (): void => joined.inc();
    const onRefused = (status: number): void => refused.inc({ status });
    gateway.on('served', onServed).on('joined', onJoined).on('refused', onRefused);
    this.#end = () => {
      gateway.off('served', onServed).off('joined', onJoined).off('refused', onRefused);
      endOfPool();
      endOfFleet?.();
    };
  }

  close(): void {
    this.#end();
  }
}

function gauge(registers: Registry[], name: string, help: string, read: (set: (value: number) => void) => void): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      read((value) => this.set(value));
    },
  });
}
