// Which sessions serve what: a host with a path prefix, or a TCP service. One pool for all of them, so that a session's load and its cap
// count everything that runs there, whatever it is for; what a session serves is its metadata, and so is whether it can. Knows agents by
// their claims, and nothing of HTTP.
import type { YamuxSession, YamuxStream } from '@zishuo/yamux';
import {
  affinity,
  createStrategy,
  mergeSessionMetadata,
  NoMatchingSessionError,
  type RoutingContext,
  type SessionExplanation,
  SessionPool,
  type SessionRef,
} from '@zishuo/yamux-balancer';
import { TunnelError } from '../errors.ts';
import { parseRoute, RouteTable } from '../http/route.ts';
import { isTcpService } from '../tcp-service.ts';
import type { AgentClaims } from '../token.ts';
import type { Wish } from './affinity.ts';
import type { Balance } from './balance.ts';
import { Refusals } from './refusals.ts';

/** A session of an agent that is there. */
export interface AgentSession {
  readonly claims: AgentClaims;
  readonly session: YamuxSession;
  readonly ref: SessionRef;
  /** Whether it takes requests as blocks; else it takes HTTP/1.1. */
  readonly speaksBlocks: boolean;
}

export interface OpenedTunnel {
  readonly stream: YamuxStream;
  readonly to: AgentSession;
}

export interface RouteOpenOptions {
  /** Milliseconds that one session has to take the stream. */
  readonly attemptTimeout: number;
  /** Until then, in milliseconds of performance.now(), some session must have taken it. */
  readonly deadline: number;
  /** Wait until the agent has taken the stream. */
  readonly acknowledged: boolean;
  /** Sessions that this request has been to. */
  readonly tried: ReadonlySet<AgentSession>;
}

/**
 * On how many sessions one open is tried. Nothing has been sent until one takes it, and the timeout of the open bounds all tries together; an
 * agent that dies takes all its sessions with it, and they are known to be dead one by one.
 */
const OPEN_ATTEMPTS = 100;

/** What a session is to a service: its metadata. In the order in which an open looks for one. */
const SERVES = 'serves';
const REFUSES = 'refuses';
const SILENT = 'silent';
const STATES: readonly string[] = [SERVES, REFUSES, SILENT];

export class Routes {
  readonly pool: SessionPool;
  readonly #sessions = new Set<AgentSession>();
  readonly #byKey = new Map<string, AgentSession>();
  // A route stays known when its last agent has left: "none now" and "never heard of" are two answers. Only tokens that we signed add
  // to it, so that nobody else decides how large it grows.
  readonly #known = new RouteTable<string>();
  /** With a number for each. */
  readonly #services = new Map<string, number>();
  readonly #refusals: Refusals<AgentSession>;
  readonly #silent = new Set<AgentSession>();
  #joined = 0;

  constructor(balance: Balance, maxStreamsPerSession: number) {
    const strategy = affinity({ fallback: createStrategy(balance) });
    this.pool = new SessionPool({
      strategy,
      maxActiveStreams: maxStreamsPerSession,
      openAttempts: OPEN_ATTEMPTS,
      hooks: {
        // Of an open that took too long: the session that has not answered.
        onOpenError: ({ sessionKey, error }) => {
          const code = (error as { readonly code?: unknown } | undefined)?.code;
          const session = sessionKey === undefined ? undefined : this.#byKey.get(sessionKey);
          if (code === 'ERR_YAMUX_POOL_OPEN_TIMEOUT' && session !== undefined) this.isSilent(session);
        },
      },
    });
    this.#refusals = new Refusals((session, service, refuses) => {
      if (session.ref.removed || this.#silent.has(session)) return;
      session.ref.update(mergeSessionMetadata({ [service]: refuses ? REFUSES : SERVES }));
    });
  }

  /** The route with the longest path that takes it; undefined if no agent has ever served one that does. */
  find(host: string, path: string): string | undefined {
    return this.#known.find(host, path);
  }

  /**
   * A stream to an agent that serves it: a route, or `tcp:<name>`. Sessions whose target refuses connections, or that are silent, are asked when
   * there is no other.
   * @throws what SessionPool.openStream() rejects with.
   */
  async open(service: string, wish: Wish, options: RouteOpenOptions): Promise<OpenedTunnel> {
    for (;;) {
      const left = options.deadline - performance.now();
      if (left <= 0) throw new TunnelError('ERR_TUNNEL_AGENT_SILENT', 'no agent took the request in time');
      try {
        const opened = await this.#openOnce(service, wish, options, Math.min(left, options.attemptTimeout));
        if (!options.tried.has(opened.to)) return opened;
        opened.stream.destroy();
        throw new NoMatchingSessionError('Every session was tried');
      } catch (error) {
        if ((error as { readonly code?: unknown }).code !== 'ERR_YAMUX_POOL_OPEN_TIMEOUT') throw error;
      }
    }
  }

  async #openOnce(service: string, wish: Wish, options: RouteOpenOptions, timeout: number): Promise<OpenedTunnel> {
    let first: unknown;
    for (const routing of routings(service, wish)) {
      try {
        const { stream, session } = await this.pool.openStream(routing, {
          timeout,
          acknowledged: options.acknowledged,
        });
        return { stream: stream as YamuxStream, to: this.#byKey.get(session.key) as AgentSession };
      } catch (error) {
        if (!(error instanceof NoMatchingSessionError)) throw error;
        // Of those that serve it the first word counts, be it that they are full.
        if (first === undefined || isAboutNobody(first)) first = error;
      }
    }
    throw first;
  }

  /** The target of the session's agent took no connection for the service. */
  refused(session: AgentSession, service: string): void {
    this.#refusals.refused(session, service);
  }

  /** It answered for the service. */
  served(session: AgentSession, service: string): void {
    this.#refusals.served(session, service);
  }

  /** It has not taken a stream in time: it gets no new ones until it says something again. */
  isSilent(session: AgentSession): void {
    if (this.#silent.has(session) || session.ref.removed) return;
    this.#silent.add(session);
    this.#setAll(session, SILENT);
    const back = (): void => {
      this.#silent.delete(session);
      if (!session.ref.removed) this.#setAll(session, SERVES);
    };
    session.session.ping().then(back, () => this.#silent.delete(session));
  }

  #setAll({ claims, ref }: AgentSession, state: string): void {
    ref.update(mergeSessionMetadata(Object.fromEntries(claims.routes.map((route) => [route, state]))));
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
    return this.#services.get(service) ?? 0;
  }

  /** Services whose target refuses connections, by session. */
  refusing(session: AgentSession): readonly string[] {
    return this.#refusals.of(session);
  }

  /** Why a request for the service would go to a session now, or would not: in words, for each. */
  explain(service: string): readonly SessionExplanation[] {
    const explanations = this.pool.explain({ requiredMetadata: { [service]: SERVES } });
    return explanations.map((one) => {
      if (one.verdict !== 'filtered') return one;
      const state = this.#byKey.get(one.key)?.ref.snapshot().metadata[service];
      if (state === REFUSES) return { ...one, detail: 'Its target refused the last connection' };
      if (state === SILENT) return { ...one, detail: 'It has not taken a request in time' };
      return { ...one, detail: `Its token is not for ${service}` };
    });
  }

  sessionsOf(tenant: string): number {
    let count = 0;
    for (const { claims } of this.#sessions) if (claims.tenant === tenant) count += 1;
    return count;
  }

  /** The other tenant whose agents serve one of the routes' hosts, or the TCP service, now; undefined if there is none. */
  takenBy(claims: AgentClaims): string | undefined {
    const hosts = new Set(claims.routes.map(ownedName));
    for (const { claims: other } of this.#sessions) {
      if (other.tenant !== claims.tenant && other.routes.some((route) => hosts.has(ownedName(route))))
        return other.tenant;
    }
    return undefined;
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
      metadata: Object.fromEntries(claims.routes.map((route) => [route, SERVES])),
    });
    for (const route of claims.routes) {
      if (!this.#services.has(route)) this.#services.set(route, this.#services.size + 1);
      if (!isTcpService(route)) this.#known.set(parseRoute(route), route);
    }
    const joined: AgentSession = { claims, session, ref, speaksBlocks };
    this.#sessions.add(joined);
    this.#byKey.set(ref.key, joined);
    session.once('close', () => {
      this.#sessions.delete(joined); // the pool watches for itself
      this.#byKey.delete(ref.key);
      this.#silent.delete(joined);
      this.#refusals.forget(joined);
    });
    return joined;
  }

  /** No new request for any session of the agent; what runs goes on. Says how many sessions that were. */
  drain(agent: string, reason: string): number {
    const sessions = this.#sessionsOf(agent);
    for (const { ref } of sessions) ref.drain(reason);
    return sessions.length;
  }

  resume(agent: string): number {
    const sessions = this.#sessionsOf(agent);
    for (const { ref } of sessions) ref.resume();
    return sessions.length;
  }

  close(): void {
    this.#refusals.close();
  }

  #sessionsOf(agent: string): readonly AgentSession[] {
    return [...this.#sessions].filter(({ claims }) => claims.agent === agent);
  }
}

function* routings(service: string, { key, agent }: Wish): Generator<RoutingContext> {
  const serving = { [service]: SERVES };
  if (agent !== undefined) yield { requiredMetadata: serving, sessionId: agent };
  // With its service: the session that serves a tenant's /api may not serve its /.
  const affinityKey = key === undefined ? undefined : `${service} ${key}`;
  for (const state of STATES) yield { requiredMetadata: { [service]: state }, affinityKey };
}

function isAboutNobody(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === 'ERR_YAMUX_POOL_NO_MATCHING_SESSION';
}

/** What a tenant has for itself: a host with all its paths, or a TCP service. */
function ownedName(route: string): string {
  return isTcpService(route) ? route : parseRoute(route).host;
}
