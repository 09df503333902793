// Opens the stream to an agent for a request: the order of the sessions, the preferred agent, the waiting time, and the error if no session serves it.
// The sessions are those of this gateway or, in a fleet, of all gateways.
import type { YamuxStream } from '@zishuo/yamux';
import { NoAvailableSessionError, NoMatchingSessionError, type RoutingContext } from '@zishuo/yamux-balancer';
import { codeOf, TunnelError } from '../errors.ts';
import type { Wish } from './affinity.ts';
import { type OpenedTunnel, type Routes, refusing, type Serving } from './routes.ts';

/** Times in milliseconds. */
export interface RouteOpenerOptions {
  readonly routes: Routes;
  /** The agents of other gateways, too. */
  readonly fleet: Fleetway | undefined;
  /** ms that an open waits if no session can serve it; 0: no wait. */
  readonly agentWait: number;
  /** The limit of requests that wait for one service. */
  readonly maxWaitingPerRoute: number;
}

/** The way to the agents of all gateways of a fleet. */
export interface Fleetway {
  /** As Routes.openOwn(), with the same errors. */
  open(service: string, routing: RoutingContext, limits: OpenLimits): Promise<OpenedTunnel>;
  /** Whether another gateway has sessions for it, as far as is known. */
  hasElsewhere(service: string): boolean;
}

/** As of a pool. */
export interface OpenLimits {
  readonly timeout: number;
  readonly acknowledged: boolean;
  readonly attemptTimeout?: number;
  readonly wait?: boolean;
  readonly signal?: AbortSignal;
}

export interface RouteOpenOptions {
  /** Until then, in milliseconds of performance.now(), some session must have taken it. */
  readonly deadline: number;
  /** Wait until the agent has taken the stream. */
  readonly acknowledged: boolean;
  /** Sessions that this request has been to. */
  readonly tried: ReadonlySet<Serving>;
  /** Returns the signal that aborts when the stream is no longer needed. Called only if the open may take long. */
  readonly signal: () => AbortSignal;
}

/** Milliseconds between two looks at the other gateways while a request waits for an agent. */
const LOOK_ELSEWHERE = 500;

export class RouteOpener {
  readonly #options: RouteOpenerOptions;
  readonly #leaving = new AbortController();
  /** By service, how many opens wait for a session. */
  readonly #waiting = new Map<string, number>();

  constructor(options: RouteOpenerOptions) {
    this.#options = options;
  }

  /**
   * Opens a stream to an agent that serves the service: a route, or `tcp:<name>`. Sessions that are silent or whose target refuses connections are
   * tried only if there is no other. If there is no session at all, it waits for one, if the options say so.
   * @throws what SessionPool.openStream() rejects with.
   */
  async open(service: string, wish: Wish, options: RouteOpenOptions): Promise<OpenedTunnel> {
    let failure: unknown;
    for (const routing of this.#ways(service, wish)) {
      try {
        return await this.#openOn(service, routing, options, { timeout: timeLeft(options) });
      } catch (error) {
        failure = moreTelling(failure, error);
      }
    }
    return this.#patiently(service, wish, options, failure);
  }

  *#ways(service: string, { key, agent }: Wish): Generator<RoutingContext> {
    const { routes, fleet } = this.#options;
    // A request that prefers one agent does not wait for it while it is silent.
    const isWell = agent !== undefined && (routes.isWell(agent) ?? fleet !== undefined);
    if (isWell) yield { sessionId: agent };
    const affinityKey = affinityKeyOf(service, key);
    yield { affinityKey };
    yield { affinityKey, requiredTags: [refusing(service)] };
  }

  /** A silent session may only be slow, and gets the remaining time. An absent agent may be about to come back. */
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
      const routing = { affinityKey: affinityKeyOf(service, key) };
      const signals = isSilent ? [options.signal()] : [options.signal(), this.#leaving.signal];
      const limits = { timeout, attemptTimeout: timeout, wait: patience > 0, signal: AbortSignal.any(signals) };
      return await this.#waitFor(service, routing, options, limits);
    } catch {
      throw failure;
    } finally {
      const left = (this.#waiting.get(service) ?? 0) - 1;
      if (left > 0) this.#waiting.set(service, left);
      else this.#waiting.delete(service);
    }
  }

  /** The own pool reports a new agent at once. Agents of other gateways are looked up. */
  async #waitFor(
    service: string,
    routing: RoutingContext,
    options: RouteOpenOptions,
    limits: Omit<OpenLimits, 'acknowledged'> & { readonly signal: AbortSignal },
  ): Promise<OpenedTunnel> {
    const until = performance.now() + limits.timeout;
    for (;;) {
      const left = Math.ceil(until - performance.now());
      const looksElsewhere = this.#options.fleet !== undefined && limits.wait === true && left > LOOK_ELSEWHERE;
      try {
        const timeout = looksElsewhere ? LOOK_ELSEWHERE : Math.max(1, left);
        return await this.#openOn(service, routing, options, { ...limits, timeout });
      } catch (error) {
        if (!looksElsewhere || limits.signal.aborted) throw error;
      }
    }
  }

  async #openOn(
    service: string,
    routing: RoutingContext,
    { acknowledged, tried }: RouteOpenOptions,
    limits: Omit<OpenLimits, 'acknowledged'>,
  ): Promise<OpenedTunnel> {
    const { routes, fleet } = this.#options;
    const { stream, to } = await (fleet === undefined
      ? routes.openOwn(service, routing, { ...limits, acknowledged })
      : fleet.open(service, routing, { ...limits, acknowledged }));
    if (!tried.has(to)) return { stream, to };
    stream.destroy();
    throw new NoMatchingSessionError('Every session was tried');
  }

  /** Whether a session that is well serves it, beside those that were tried. */
  hasAnother(service: string, tried: ReadonlySet<Serving>): boolean {
    const { routes, fleet } = this.#options;
    return routes.hasAnother(service, tried) || fleet?.hasElsewhere(service) === true;
  }

  /** The session has not acknowledged the stream in time. The stream ends, and the session gets no new streams until it sends something. */
  silent({ stream }: { readonly stream: YamuxStream }, message: string): TunnelError {
    const error = new TunnelError('ERR_TUNNEL_AGENT_SILENT', message);
    // The same distinction as in the pool: a failure of the session, or of one stream.
    stream.destroy(Object.assign(error, { scope: 'session' }));
    return error;
  }

  /** Ends all waits for agents, because agents now dial elsewhere. */
  stopWaiting(): void {
    this.#leaving.abort();
  }
}

/** Contains the service, because the session that serves a tenant's /api may not serve its /. */
function affinityKeyOf(service: string, key: string | undefined): string | undefined {
  return key === undefined ? undefined : `${service} ${key}`;
}

/** Whole milliseconds, as errors tell them. @throws TunnelError where there is none. */
function timeLeft({ deadline }: RouteOpenOptions): number {
  const left = Math.ceil(deadline - performance.now());
  if (left <= 0) throw new TunnelError('ERR_TUNNEL_AGENT_SILENT', 'no agent took the request in time');
  return left;
}

/** The most specific error: the failure of a session, before "all are full", before "no session". */
function moreTelling(one: unknown, other: unknown): unknown {
  return one !== undefined && rankOf(one) >= rankOf(other) ? one : other;
}

function rankOf(error: unknown): number {
  if (error instanceof NoAvailableSessionError) return 1;
  return error instanceof NoMatchingSessionError ? 0 : 2;
}
