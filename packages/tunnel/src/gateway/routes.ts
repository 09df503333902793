// The sessions and the services that they serve: a host with a path prefix, or a TCP service. One pool holds all sessions, so that the load and the cap
// of a session count all its streams. The services of a session are its tags, so the cost of a pick does not depend on the number of routes. Knows
// agents by their claims, and does not know HTTP.
import type { YamuxSession, YamuxStream } from '@zishuo/yamux';
import {
  affinity,
  createStrategy,
  type RoutingContext,
  type SessionExplanation,
  SessionPool,
  type SessionRef,
} from '@zishuo/yamux-balancer';
import { parseRoute, RouteTable } from '../http/route.ts';
import { isTcpService } from '../tcp-service.ts';
import type { AgentClaims } from '../token.ts';
import type { Balance } from './balance.ts';
import { Refusals } from './refusals.ts';
import type { Tenant, Tenants } from './tenants.ts';

/** What serves a stream: a session of an agent, here or at another gateway. */
export interface Serving {
  readonly claims: Pick<AgentClaims, 'agent'>;
  /** Whether it takes requests as blocks; else it takes HTTP/1.1. */
  readonly speaksBlocks: boolean;
  /** The gateway by way of which it is reached; undefined for this one. */
  readonly gateway?: string | undefined;
}

/** A connected session of an agent. */
export interface AgentSession extends Serving {
  readonly claims: AgentClaims;
  readonly session: YamuxSession;
  readonly ref: SessionRef<YamuxSession>;
}

export interface OpenedTunnel {
  readonly stream: YamuxStream;
  readonly to: Serving;
}

/** Times in milliseconds. */
export interface RoutesOptions {
  readonly balance: Balance;
  readonly tenants: Tenants;
  readonly maxStreamsPerSession: number;
  /** ms for one session to acknowledge a stream. */
  readonly attemptTimeout: number;
}

/** A service of agents. It stays known after its last agent has left. */
interface Service {
  readonly number: number;
  /** The tenant whose agents served it last; undefined while only other gateways had agents and none has answered. */
  tenant: Tenant | undefined;
  /** Of those that may serve it now. */
  readonly sessions: Set<AgentSession>;
}

/** Milliseconds until a session that took no stream in time is pinged, and after its answer tried again. */
const PROBE_INTERVAL = 1_000;

export class Routes {
  readonly pool: SessionPool<YamuxSession, YamuxStream>;
  readonly tenants: Tenants;
  readonly #sessions = new Set<AgentSession>();
  readonly #byKey = new Map<string, AgentSession>();
  readonly #byAgent = new Map<string, Set<AgentSession>>();
  // A route stays known after its last agent has left, because "no agent now" and "unknown route" are different answers. Only signed tokens add
  // routes, so no stranger decides its size.
  readonly #known = new RouteTable<string>();
  readonly #services = new Map<string, Service>();
  readonly #refusals: Refusals<AgentSession>;
  #joined = 0;

  constructor(options: RoutesOptions) {
    this.tenants = options.tenants;
    this.pool = new SessionPool({
      strategy: affinity({ fallback: createStrategy(options.balance) }),
      maxActiveStreams: options.maxStreamsPerSession,
      attemptTimeout: options.attemptTimeout,
      // Every session is tried once, within one deadline: if an agent dies, all its sessions die, and each is detected on its own.
      openAttempts: Number.MAX_SAFE_INTEGER,
      maxWaiting: Number.MAX_SAFE_INTEGER, // limited here, for each service
      // A session that has not acknowledged a stream in time gets no stream until it has answered a ping, unless no other session is left.
      healthFailureThreshold: 1,
      healthProbeInterval: PROBE_INTERVAL,
      panicThreshold: 1,
    });
    this.#refusals = new Refusals((session, service, refuses) => {
      if (session.ref.removed) return;
      const [from, to] = refuses ? [service, refusing(service)] : [refusing(service), service];
      session.ref.update((facts) => ({ ...facts, tags: facts.tags.map((tag) => (tag === from ? to : tag)) }));
    });
  }

  /** The route with the longest path that takes it; undefined if no agent has ever served one that does. */
  find(host: string, path: string): string | undefined {
    return this.#known.find(host, path);
  }

  /** On a session of this gateway's own that serves it. */
  async openOwn(
    service: string,
    routing: RoutingContext,
    options: Parameters<SessionPool['openStream']>[1],
  ): Promise<{ readonly stream: YamuxStream; readonly session: SessionRef<YamuxSession>; readonly to: AgentSession }> {
    const { requiredTags = [service] } = routing;
    const { stream, session } = await this.pool.openStream({ ...routing, requiredTags }, options);
    return { stream, session, to: this.#byKey.get(session.key) as AgentSession };
  }

  /** The target of the session's agent refused the connection for the service. For sessions of another gateway, that gateway notices it. */
  refused(session: Serving, service: string): void {
    if (isOwn(session)) this.#refusals.refused(session, service);
  }

  /** It answered for the service. */
  served(session: Serving, service: string): void {
    if (isOwn(session)) this.#refusals.served(session, service);
  }

  /** Whether a session that is well serves it, beside those that were tried. */
  hasAnother(service: string, tried: ReadonlySet<Serving>): boolean {
    for (const session of this.#services.get(service)?.sessions ?? []) {
      if (!tried.has(session) && !session.ref.removed && session.ref.snapshot().healthy) return true;
    }
    return false;
  }

  get sessions(): ReadonlySet<AgentSession> {
    return this.#sessions;
  }

  /** Every route and TCP service that an agent has ever served here. */
  get services(): readonly string[] {
    return [...this.#services.keys()];
  }

  has(service: string): boolean {
    return this.#services.has(service);
  }

  /** A short hash of a service, which does not reveal its name. */
  numberOf(service: string): number {
    return this.#services.get(service)?.number ?? 0;
  }

  /** The tenant whose agents serve it, or did so last; undefined if there was none. */
  tenantOf(service: string): Tenant | undefined {
    return this.#services.get(service)?.tenant;
  }

  /** Services whose target refuses connections, by session. */
  refusing(session: AgentSession): readonly string[] {
    return this.#refusals.of(session);
  }

  /** Whether a session of the agent takes streams in time; undefined where it has none here. */
  isWell(agent: string): boolean | undefined {
    const sessions = this.#byAgent.get(agent);
    if (sessions === undefined) return undefined;
    for (const { ref } of sessions) if (ref.snapshot().healthy) return true;
    return false;
  }

  /** A session by its key in the pool. */
  byKey(key: string): AgentSession | undefined {
    return this.#byKey.get(key);
  }

  /** Agents of another gateway serve it. */
  learn(service: string, tenant?: Tenant): void {
    const known = this.#services.get(service);
    if (known !== undefined) {
      if (known.sessions.size === 0 && tenant !== undefined) known.tenant = tenant;
      return;
    }
    this.#services.set(service, { number: this.#services.size + 1, tenant, sessions: new Set() });
    if (!isTcpService(service)) this.#known.set(parseRoute(service), service);
  }

  /** For each session, a readable explanation of why a request would or would not go to it. */
  explain(service: string): readonly SessionExplanation[] {
    return this.pool.explain({ requiredTags: [service] }).map((one) => {
      if (one.verdict !== 'filtered') return one;
      const tags = this.#byKey.get(one.key)?.ref.snapshot().tags ?? [];
      const detail = tags.includes(refusing(service))
        ? 'Its target refused the last connection'
        : `Its token is not for ${service}`;
      return { ...one, detail };
    });
  }

  /** Lets a session serve the routes of its claims, until it closes. */
  join(claims: AgentClaims, session: YamuxSession, speaksBlocks: boolean): AgentSession {
    this.#joined += 1;
    const ref = this.pool.add(session, {
      // A key for each session: an agent may have several, or come back before its dead session is detected. The characters need no escaping in
      // a URL.
      key: `${claims.agent.replace(/[^\w.-]/g, '_')}~${this.#joined}`,
      id: claims.agent,
      weight: claims.weight,
      tags: claims.routes,
    });
    const tenant = this.tenants.join(claims);
    const joined: AgentSession = { claims, session, ref, speaksBlocks };
    for (const route of claims.routes) {
      this.learn(route);
      const service = this.#services.get(route) as Service;
      service.tenant = tenant;
      service.sessions.add(joined);
    }
    this.#sessions.add(joined);
    this.#byKey.set(ref.key, joined);
    const ofAgent = this.#byAgent.get(claims.agent) ?? new Set();
    this.#byAgent.set(claims.agent, ofAgent.add(joined));
    session.once('close', () => {
      this.#sessions.delete(joined); // the pool watches the session itself
      this.#byKey.delete(ref.key);
      for (const route of claims.routes) this.#services.get(route)?.sessions.delete(joined);
      ofAgent.delete(joined);
      if (ofAgent.size === 0 && this.#byAgent.get(claims.agent) === ofAgent) this.#byAgent.delete(claims.agent);
      this.tenants.leave(claims);
      this.#refusals.forget(joined);
    });
    return joined;
  }

  /** Stops new requests for all sessions of the agent; running ones continue. Returns the number of sessions. */
  drain(agent: string, reason: string): number {
    const sessions = this.#byAgent.get(agent) ?? new Set();
    for (const { ref } of sessions) ref.drain(reason);
    return sessions.size;
  }

  resume(agent: string): number {
    const sessions = this.#byAgent.get(agent) ?? new Set();
    for (const { ref } of sessions) ref.resume();
    return sessions.size;
  }

  close(): void {
    this.#refusals.close();
  }
}

const REFUSES = 'refuses ';

/** The tag, in place of the service's own, of a session whose target refuses connections for it. No route has a space. */
export function refusing(service: string): string {
  return REFUSES + service;
}

/** The service that a tag is about. */
export function serviceOf(tag: string): string {
  return tag.startsWith(REFUSES) ? tag.slice(REFUSES.length) : tag;
}

function isOwn(session: Serving): session is AgentSession {
  return 'ref' in session;
}
