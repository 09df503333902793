// The content of the dashboard as one JSON value. Each value is complete, so a page may miss any number of them.
import type { SessionSnapshot } from '@zishuo/yamux-balancer';
import type { ReadinessState } from '../gateway/readiness.ts';
import type { RevokedKind } from '../gateway/revocations.ts';
import type { AgentSession } from '../gateway/routes.ts';
import type { TunnelGateway } from '../gateway/tunnel-gateway.ts';
import { tcpService } from '../tcp-service.ts';
import type { Activity, PastEvent, PastRequest } from './activity.ts';
import { type FleetView, fleetView } from './fleet-view.ts';
import type { Plot, Traffic, TrafficPlot } from './traffic.ts';

/** All times are in milliseconds since 1970. Missing values are null. */
export interface Snapshot {
  readonly at: number;
  readonly gateway: GatewayView;
  /** Null for a gateway that is alone. */
  readonly fleet: FleetView | null;
  readonly sessions: readonly SessionView[];
  readonly routes: readonly RouteView[];
  readonly requests: readonly PastRequest[];
  readonly events: readonly PastEvent[];
}

export interface GatewayView {
  readonly url: string;
  /** Where agents dial in. */
  readonly agentPath: string;
  readonly state: ReadinessState;
  readonly reason: string | null;
  readonly startedAt: number;
  readonly balance: string;
  readonly affinity: string;
  readonly running: { readonly requests: number; readonly tcpConnections: number };
  readonly served: number;
  readonly failed: number;
  readonly failedLately: number;
  /** Connections and requests that were refused by the limits for one address. */
  readonly limited: number;
  /** Who is refused, although its token is good. */
  readonly revoked: readonly RevokedView[];
  readonly bytes: { readonly up: number; readonly down: number };
  readonly plot: TrafficPlot;
}

export interface RevokedView {
  readonly kind: RevokedKind;
  readonly name: string;
  /** By the admin port, which can end it; else by the file. */
  readonly byHand: boolean;
}

export interface SessionView {
  readonly key: string;
  readonly agent: string;
  readonly tenant: string;
  readonly weight: number;
  readonly state: 'available' | 'full' | 'draining' | 'unhealthy' | 'probing' | 'closed';
  readonly active: number;
  readonly pending: number;
  readonly cap: number;
  readonly rtt: number | null;
  readonly joinedAt: number;
  readonly opens: number;
  readonly failures: number;
  readonly lastError: string | null;
  readonly drainReason: string | null;
  readonly drainStartedAt: number | null;
  /** When its token ends, and the session with it. */
  readonly expires: number;
  /** What it serves, and whose target took no connection the last time. */
  readonly refusing: readonly string[];
  /** The agent or the gateway has sent GoAway: resume has no effect. */
  readonly leaving: boolean;
  readonly plot: Plot;
}

export interface RouteView {
  /** A host with a path, or `tcp:<name>`. */
  readonly service: string;
  /** The public port of a TCP service, where there is one. */
  readonly port: number | null;
  readonly agents: readonly { readonly agent: string; readonly sessions: number; readonly available: number }[];
  /** Other gateways that have sessions for it, as far as is known without asking. */
  readonly elsewhere: readonly { readonly gateway: string; readonly sessions: number }[];
}

export interface Source {
  readonly gateway: TunnelGateway;
  readonly traffic: Traffic;
  readonly activity: Activity;
  readonly startedAt: number;
}

export function takeSnapshot({ gateway, traffic, activity, startedAt }: Source): Snapshot {
  const { readiness, routes } = gateway;
  const sessions = Array.from(routes.sessions, (session) => ({ session, snapshot: session.ref.snapshot() }));
  return {
    at: Date.now(),
    gateway: {
      url: gateway.url,
      agentPath: gateway.agentPath,
      state: readiness.state,
      reason: readiness.reason ?? null,
      startedAt,
      balance: gateway.balance,
      affinity: gateway.affinity,
      running: gateway.running,
      served: traffic.served,
      failed: traffic.failed,
      failedLately: traffic.failedLately,
      limited: gateway.limits.connections.refused + gateway.limits.requests.refused,
      revoked: gateway.revocations.entries,
      bytes: traffic.bytes,
      plot: traffic.plot,
    },
    fleet: gateway.fleet === undefined ? null : fleetView(gateway.fleet),
    sessions: sessions.map(({ session, snapshot }) =>
      sessionView(session, snapshot, traffic, routes.refusing(session)),
    ),
    routes: routeViews(gateway, sessions),
    requests: activity.requests,
    events: activity.events,
  };
}

function sessionView(
  session: AgentSession,
  snapshot: SessionSnapshot,
  traffic: Traffic,
  refusing: readonly string[],
): SessionView {
  return {
    key: snapshot.key,
    agent: snapshot.id,
    tenant: session.claims.tenant,
    weight: snapshot.weight,
    state: stateOf(snapshot),
    active: snapshot.activeStreams,
    pending: snapshot.pendingStreams,
    cap: snapshot.maxActiveStreams,
    rtt: snapshot.rtt ?? null,
    joinedAt: snapshot.addedAt,
    opens: snapshot.openAttempts,
    failures: snapshot.openFailures,
    lastError: snapshot.lastError ?? null,
    drainReason: snapshot.drainReason ?? null,
    drainStartedAt: snapshot.drainStartedAt ?? null,
    expires: session.claims.expires,
    refusing,
    leaving: session.session.state !== 'open',
    plot: traffic.plotOf(session),
  };
}

function stateOf({ available, draining, healthy, probing, full }: SessionSnapshot): SessionView['state'] {
  if (available) return 'available';
  if (draining) return 'draining';
  if (!healthy) return probing ? 'probing' : 'unhealthy';
  return full ? 'full' : 'closed';
}

function routeViews(
  gateway: TunnelGateway,
  sessions: readonly { readonly session: AgentSession; readonly snapshot: SessionSnapshot }[],
): RouteView[] {
  const byService = new Map<string, Map<string, { agent: string; sessions: number; available: number }>>();
  for (const service of gateway.routes.services) byService.set(service, new Map());
  const ports = new Map([...gateway.tcpPorts].map(([name, port]) => [tcpService(name), port]));
  for (const service of ports.keys()) if (!byService.has(service)) byService.set(service, new Map());
  for (const { session, snapshot } of sessions) {
    for (const service of session.claims.routes) {
      const agents = byService.get(service);
      const agent = agents?.get(snapshot.id) ?? { agent: snapshot.id, sessions: 0, available: 0 };
      agent.sessions += 1;
      if (snapshot.available) agent.available += 1;
      agents?.set(snapshot.id, agent);
    }
  }
  return Array.from(byService, ([service, agents]) => ({
    service,
    port: ports.get(service) ?? null,
    agents: [...agents.values()],
    elsewhere: elsewhere(gateway, service),
  })).sort((a, b) => (a.service < b.service ? -1 : 1));
}

function elsewhere({ fleet }: TunnelGateway, service: string): RouteView['elsewhere'] {
  const nodes = fleet?.placements(service) ?? [];
  return nodes.filter(({ isSelf }) => !isSelf).map(({ node, sessions }) => ({ gateway: node, sessions }));
}
