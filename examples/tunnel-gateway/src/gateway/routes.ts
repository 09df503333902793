// Which sessions serve which host. One pool for all of them, so that a session's load and its cap count everything that runs there,
// whatever host it is for; the hosts of a session are its metadata. Knows agents by their claims, and nothing of HTTP.
import type { YamuxSession } from '@zishuo/yamux';
import { leastConn, type RoutingContext, SessionPool, type SessionRef } from '@zishuo/yamux-balancer';
import type { AgentClaims } from '../token.ts';

/** What an agent's Yamux allows by default (maxInboundStreams). Asking for more would only be refused, one round trip later. */
const MAX_STREAMS_PER_SESSION = 1000;

interface Link {
  readonly agent: string;
  readonly session: YamuxSession;
  readonly ref: SessionRef;
}

export class Routes {
  readonly pool: SessionPool = new SessionPool({ strategy: leastConn(), maxActiveStreams: MAX_STREAMS_PER_SESSION });
  readonly #links = new Set<Link>();
  // A host stays known when its last agent has left: "none now" and "never heard of" are two answers. Only tokens that we signed
  // add to it, so that nobody else decides how large it grows.
  readonly #hosts = new Set<string>();
  #joined = 0;

  /** What to ask the pool for; undefined for a host that no agent has ever served. */
  routing(host: string): RoutingContext | undefined {
    return this.#hosts.has(host) ? { requiredMetadata: { [hostKey(host)]: 'served' } } : undefined;
  }

  get sessions(): readonly YamuxSession[] {
    return [...this.#links].map((link) => link.session);
  }

  /** Lets a session serve the hosts of its claims, until it closes. */
  join(claims: AgentClaims, session: YamuxSession): void {
    this.#joined += 1;
    const ref = this.pool.add(session, {
      // An agent may hold several sessions, or come back before its dead one is known to be dead: the key is the session's.
      key: `${claims.agent}#${this.#joined}`,
      id: claims.agent,
      metadata: Object.fromEntries(claims.hosts.map((host) => [hostKey(host), 'served'])),
    });
    for (const host of claims.hosts) this.#hosts.add(host);
    const link: Link = { agent: claims.agent, session, ref };
    this.#links.add(link);
    session.once('close', () => this.#links.delete(link)); // the pool watches for itself
  }

  /** No new request for any session of the agent; what runs goes on. Says how many sessions that were. */
  drain(agent: string, reason: string): number {
    const links = this.#linksOf(agent);
    for (const link of links) link.ref.drain(reason);
    return links.length;
  }

  resume(agent: string): number {
    const links = this.#linksOf(agent);
    for (const link of links) link.ref.resume();
    return links.length;
  }

  #linksOf(agent: string): readonly Link[] {
    return [...this.#links].filter((link) => link.agent === agent);
  }
}

function hostKey(host: string): string {
  return `host ${host}`;
}
