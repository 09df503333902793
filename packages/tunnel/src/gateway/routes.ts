// Which sessions serve what: a host with a path prefix, or a TCP service. One pool for all of them, so that a session's load and its cap
// count everything that runs there, whatever it is for. What a session serves are its tags, so that a pick costs the same however many other
// routes there are. Knows agents by their claims, and nothing of HTTP.
import type { YamuxSession, YamuxStream } from '@zishuo/yamux';
import {
  affinity,
  createStrategy,
  NoAvailableSessionError,
  NoMatchingSessionError,
  type RoutingContext,
  type SessionExplanation,
  SessionPool,
  type SessionRef,
} from '@zishuo/yamux-balancer';
import { codeOf, TunnelError } from '../errors.ts';
import { parseRoute, RouteTable } from '../http/route.ts';
import { isTcpService } from '../tcp-service.ts';
import type { AgentClaims } from '../token.ts';
import type { Wish } from './affinity.ts';
import type { Balance } from './balance.ts';
import { Refusals } from './refusals.ts';
import type { Tenant, Tenants } from './tenants.ts';

/** A session of an agent that is there. */
export interface AgentSession {
  readonly claims: AgentClaims;
  readonly session: YamuxSession;
  readonly ref: SessionRef<YamuxSession>;
  /** Whether it takes requests as blocks; else it takes HTTP/1.1. */
  readonly speaksBlocks: boolean;
}

export interface OpenedTunnel {
  readonly stream: YamuxStream;
  readonly to: AgentSession;
}

/** Times in milliseconds. */
export interface RoutesOptions {
  readonly balance: Balance;
  readonly tenants: Tenants;
  readonly maxStreamsPerSession: number;
  /** That one session has to take a stream. */
  readonly attemptTimeout: number;
  /** For which an open waits where no session can serve it; 0: not at all. */
  readonly agentWait: number;
  /** How many wait for one service at a time. */
  readonly maxWaitingPerRoute: number;
}

export interface RouteOpenOptions {
  /** Until then, in milliseconds of performance.now(), some session must have taken it. */
  readonly deadline: number;
  /** Wait until the agent has taken the stream. */
  readonly acknowledged: boolean;
  /** Sessions that this request has been to. */
  readonly tried: ReadonlySet<AgentSession>;
  /** Asked for only where the open may take long: aborts when nobody wants the stream any more. */
  readonly signal: () => AbortSignal;
}

/** A service of the agents, which stays known when its last agent has left. */
interface Service {
  readonly number: number;
  /** Whose agents served it last. */
  tenant: Tenant;
  /** Of those that may serve it now. */
  readonly sessions: Set<AgentSession>;
}

/** Milliseconds until a session that took no stream in time is pinged, and after its answer tried again. */
const PROBE_INTERVAL = 1_000;

export class Routes {
  readonly pool: SessionPool<YamuxSession, YamuxStream>;
  readonly tenants: Tenants;
  readonly #options: RoutesOptions;
  readonly #sessions = new Set<AgentSession>();
  readonly #byKey = new Map<string, AgentSession>();
  readonly #byAgent = new Map<string, Set<AgentSession>>();
  // A route stays known when its last agent has left: "none now" and "never heard of" are two answers. Only tokens that we signed add
  // to it, so that nobody else decides how large it grows.
  readonly #known = new RouteTable<string>();
  readonly #services = new Map<string, Service>();
  readonly #refusals: Refusals<AgentSession>;
  readonly #leaving = new AbortController();
  /** By service, how many opens wait for a session. */
  readonly #waiting = new Map<string, number>();
  #joined = 0;

  constructor(options: RoutesOptions) {
    this.#options = options;
    this.tenants = options.tenants;
    this.pool = new SessionPool({
      strategy: affinity({ fallback: createStrategy(options.balance) }),
      maxActiveStreams: options.maxStreamsPerSession,
      attemptTimeout: options.attemptTimeout,
      // Each session is asked once, and the deadline bounds them all: an agent that dies takes all its sessions with it, and they are
      // known to be dead one by one.
      openAttempts: Number.MAX_SAFE_INTEGER,
      maxWaiting: Number.MAX_SAFE_INTEGER, // bounded here, by the service
      // Who has not taken one stream in time gets none, until it has answered a ping; but where nobody else is left.
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

  /**
   * A stream to an agent that serves it: a route, or `tcp:<name>`. Sessions whose target refuses connections, or that are silent, are asked when
   * there is no other; where there is none at all, it waits for one if the options say so.
   * @throws what SessionPool.openStream() rejects with.
   */
  async open(service: string, wish: Wish, options: RouteOpenOptions): Promise<OpenedTunnel> {
    let failure: unknown;
    for (const routing of this.#ways(service, wish)) {
      try {
        return await this.#openOn(routing, options, { timeout: timeLeft(options) });
      } catch (error) {
        failure = moreTelling(failure, error);
      }
    }
    return this.#patiently(service, wish, options, failure);
  }

  *#ways(service: string, { key, agent }: Wish): Generator<RoutingContext> {
    if (agent !== undefined && this.#isWell(agent)) yield { requiredTags: [service], sessionId: agent };
    const affinityKey = affinityKeyOf(service, key);
    yield { requiredTags: [service], affinityKey };
    yield { requiredTags: [refusing(service)], affinityKey };
  }

  /** A wish for one agent is no reason to wait for it while it is silent. */
  #isWell(agent: string): boolean {
    for (const { ref } of this.#byAgent.get(agent) ?? []) if (ref.snapshot().healthy) return true;
    return false;
  }

  /** Who is silent may only be slow, and has all the time that is left; who is not there may be about to come back. */
  async #patiently(service: string, { key }: Wish, options: RouteOpenOptions, failure: unknown): Promise<OpenedTunnel> {
    const { agentWait, maxWaitingPerRoute } = this.#options;
    const isSilent = codeOf(failure, '') === 'ERR_YAMUX_POOL_OPEN_TIMEOUT';
    const left = Math.ceil(options.deadline - performance.now());
    const patience = this.#leaving.signal.aborted ? 0 : agentWait;
    const timeout = isSilent ? left : Math.min(left, patience);
    const waiting = this.#waiting.get(service) ?? 0;
    if (timeout <= 0 || waiting >= maxWaitingPerRoute) throw failure;
    this.#waiting.set(service, waiting + 1);
    try {
      const routing = { requiredTags: [service], affinityKey: affinityKeyOf(service, key) };
      const signals = isSilent ? [options.signal()] : [options.signal(), this.#leaving.signal];
      const limits = { timeout, attemptTimeout: timeout, wait: patience > 0, signal: AbortSignal.any(signals) };
      return await this.#openOn(routing, options, limits);
    } catch {
      throw failure;
    } finally {
      const left = (this.#waiting.get(service) ?? 0) - 1;
      if (left > 0) this.#waiting.set(service, left);
      else this.#waiting.delete(service);
    }
  }

  async #openOn(
    routing: RoutingContext,
    { acknowledged, tried }: RouteOpenOptions,
    limits: Parameters<SessionPool['openStream']>[1],
  ): Promise<OpenedTunnel> {
    const { stream, session } = await this.pool.openStream(routing, { ...limits, acknowledged });
    const to = this.#byKey.get(session.key) as AgentSession;
    if (!tried.has(to)) return { stream, to };
    stream.destroy();
    throw new NoMatchingSessionError('Every session was tried');
  }

  /** The target of the session's agent took no connection for the service. */
  refused(session: AgentSession, service: string): void {
    this.#refusals.refused(session, service);
  }

  /** It answered for the service. */
  served(session: AgentSession, service: string): void {
    this.#refusals.served(session, service);
  }

  /** Whether a session that is well serves it, beside those that were tried. */
  hasAnother(service: string, tried: ReadonlySet<AgentSession>): boolean {
    for (const session of this.#services.get(service)?.sessions ?? []) {
      if (!tried.has(session) && !session.ref.removed && session.ref.snapshot().healthy) return true;
    }
    return false;
  }

  /** It has not taken the stream in time, which ends: the session gets no new ones until it says something again. */
  silent({ stream }: OpenedTunnel, message: string): TunnelError {
    const error = new TunnelError('ERR_TUNNEL_AGENT_SILENT', message);
    // As the pool tells failures of a session from those of a stream.
    stream.destroy(Object.assign(error, { scope: 'session' }));
    return error;
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

  /** A short name for a service, which tells nothing of it. */
  numberOf(service: string): number {
    return this.#services.get(service)?.number ?? 0;
  }

  /** Whose agents serve it, or did so last; undefined if none ever did. */
  tenantOf(service: string): Tenant | undefined {
    return this.#services.get(service)?.tenant;
  }

  /** Services whose target refuses connections, by session. */
  refusing(session: AgentSession): readonly string[] {
    return this.#refusals.of(session);
  }

  /** Why a request for the service would go to a session now, or would not: in words, for each. */
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
      // An agent may hold several sessions, or come back before its dead one is known to be dead: the key is the session's.
      // Of characters that need no escaping in a URL.
      key: `${claims.agent.replace(/[^\w.-]/g, '_')}~${this.#joined}`,
      id: claims.agent,
      weight: claims.weight,
      tags: claims.routes,
    });
    const tenant = this.tenants.join(claims);
    const joined: AgentSession = { claims, session, ref, speaksBlocks };
    for (const route of claims.routes) {
      const service = this.#services.get(route) ?? { number: this.#services.size + 1, tenant, sessions: new Set() };
      service.tenant = tenant;
      service.sessions.add(joined);
      this.#services.set(route, service);
      if (!isTcpService(route)) this.#known.set(parseRoute(route), route);
    }
    this.#sessions.add(joined);
    this.#byKey.set(ref.key, joined);
    const ofAgent = this.#byAgent.get(claims.agent) ?? new Set();
    this.#byAgent.set(claims.agent, ofAgent.add(joined));
    session.once('close', () => {
      this.#sessions.delete(joined); // the pool watches for itself
      this.#byKey.delete(ref.key);
      for (const route of claims.routes) this.#services.get(route)?.sessions.delete(joined);
      ofAgent.delete(joined);
      if (ofAgent.size === 0 && this.#byAgent.get(claims.agent) === ofAgent) this.#byAgent.delete(claims.agent);
      this.tenants.leave(claims);
      this.#refusals.forget(joined);
    });
    return joined;
  }

  /** No new request for any session of the agent; what runs goes on. Says how many sessions that were. */
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

  /** Nobody waits for an agent any more: they dial elsewhere now. */
  stopWaiting(): void {
    this.#leaving.abort();
  }

  close(): void {
    this.#refusals.close();
  }
}

/** The tag, in place of the service's own, of a session whose target refuses connections for it. No route has a space. */
function refusing(service: string): string {
  return `refuses ${service}`;
}

/** With its service: the session that serves a tenant's /api may not serve its /. */
function affinityKeyOf(service: string, key: string | undefined): string | undefined {
  return key === undefined ? undefined : `${service} ${key}`;
}

/** Whole milliseconds, as errors tell them. @throws TunnelError where there is none. */
function timeLeft({ deadline }: RouteOpenOptions): number {
  const left = Math.ceil(deadline - performance.now());
  if (left <= 0) throw new TunnelError('ERR_TUNNEL_AGENT_SILENT', 'no agent took the request in time');
  return left;
}

/** That some serve it and are full says more than that nobody does, and what a session failed by says more than either. */
function moreTelling(one: unknown, other: unknown): unknown {
  return one !== undefined && rankOf(one) >= rankOf(other) ? one : other;
}

function rankOf(error: unknown): number {
  if (error instanceof NoAvailableSessionError) return 1;
  return error instanceof NoMatchingSessionError ? 0 : 2;
}
