// Which sessions serve what: a host with a path prefix, or a TCP service. One pool for all of them, so that a session's load and its cap
// count everything that runs there, whatever it is for; what a session serves is its metadata. Knows agents by their claims, and nothing
// of HTTP.
import type { YamuxSession, YamuxStream } from '@zishuo/yamux';
import {
  affinity,
  createStrategy,
  type OpenOptions,
  type SessionExplanation,
  SessionPool,
  type SessionRef,
} from '@zishuo/yamux-balancer';
import { parseRoute, RouteTable } from '../http/route.ts';
import { isTcpService } from '../tcp-service.ts';
import type { AgentClaims } from '../token.ts';
import type { Balance } from './balance.ts';

/** A session of an agent that is there. */
export interface AgentSession {
  readonly claims: AgentClaims;
  readonly session: YamuxSession;
  readonly ref: SessionRef;
}

export interface OpenedTunnel {
  readonly stream: YamuxStream;
  readonly agent: string;
}

/**
 * On how many sessions one open is tried. Nothing has been sent until one takes it, and the timeout of the open bounds all tries together; an
 * agent that dies takes all its sessions with it, and they are known to be dead one by one.
 */
const OPEN_ATTEMPTS = 100;

export class Routes {
  readonly pool: SessionPool;
  readonly #sessions = new Set<AgentSession>();
  // A route stays known when its last agent has left: "none now" and "never heard of" are two answers. Only tokens that we signed add
  // to it, so that nobody else decides how large it grows.
  readonly #known = new RouteTable<string>();
  readonly #services = new Set<string>();
  #joined = 0;

  constructor(balance: Balance, maxStreamsPerSession: number) {
    const strategy = affinity({ fallback: createStrategy(balance) });
    this.pool = new SessionPool({ strategy, maxActiveStreams: maxStreamsPerSession, openAttempts: OPEN_ATTEMPTS });
  }

  /** The route with the longest path that takes it; undefined if no agent has ever served one that does. */
  find(host: string, path: string): string | undefined {
    return this.#known.find(host, path);
  }

  /**
   * A stream to an agent that serves it: a route, or `tcp:<name>`. What has the same `stickTo` goes to the same session, while that can take it.
   * @throws what SessionPool.openStream() rejects with.
   */
  async open(service: string, stickTo: string | undefined, options: OpenOptions): Promise<OpenedTunnel> {
    const { stream, session } = await this.pool.openStream(
      {
        requiredMetadata: { [service]: SERVED },
        // With its service: the session that serves a tenant's /api may not serve its /.
        affinityKey: stickTo === undefined ? undefined : `${service} ${stickTo}`,
      },
      options,
    );
    return { stream: stream as YamuxStream, agent: session.id }; // join() takes no other sessions
  }

  get sessions(): ReadonlySet<AgentSession> {
    return this.#sessions;
  }

  /** Every route and TCP service that an agent has ever served here. */
  get services(): ReadonlySet<string> {
    return this.#services;
  }

  /** Why a request for the service would go to a session now, or would not: in words, for each. */
  explain(service: string): readonly SessionExplanation[] {
    const explanations = this.pool.explain({ requiredMetadata: { [service]: SERVED } });
    return explanations.map((one) =>
      one.verdict === 'filtered' ? { ...one, detail: `Its token is not for ${service}` } : one,
    );
  }

  sessionsOf(tenant: string): number {
    let count = 0;
    for (const { claims } of this.#sessions) if (claims.tenant === tenant) count += 1;
    return count;
  }

  /** Lets a session serve the routes of its claims, until it closes. */
  join(claims: AgentClaims, session: YamuxSession): AgentSession {
    this.#joined += 1;
    const ref = this.pool.add(session, {
      // An agent may hold several sessions, or come back before its dead one is known to be dead: the key is the session's.
      key: `${claims.agent}#${this.#joined}`,
      id: claims.agent,
      weight: claims.weight,
      metadata: Object.fromEntries(claims.routes.map((route) => [route, SERVED])),
    });
    for (const route of claims.routes) {
      this.#services.add(route);
      if (!isTcpService(route)) this.#known.set(parseRoute(route), route);
    }
    const joined: AgentSession = { claims, session, ref };
    this.#sessions.add(joined);
    session.once('close', () => this.#sessions.delete(joined)); // the pool watches for itself
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

  #sessionsOf(agent: string): readonly AgentSession[] {
    return [...this.#sessions].filter(({ claims }) => claims.agent === agent);
  }
}

const SERVED = 'served';
