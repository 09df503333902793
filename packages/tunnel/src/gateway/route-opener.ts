// How a request gets a stream of an agent: in which order sessions are asked, whom it would like, how long it waits, and what it is told where nobody
// serves it. The sessions are those of this gateway or, in a fleet, of all.
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
  /** For which an open waits where no session can serve it; 0: not at all. */
  readonly agentWait: number;
  /** How many wait for one service at a time. */
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
  /** Asked for only where the open may take long: aborts when nobody wants the stream any more. */
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
   * A stream to an agent that serves it: a route, or `tcp:<name>`. Sessions whose target refuses connections, or that are silent, are asked when
   * there is no other; where there is none at all, it waits for one if the options say so.
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
    // A wish for one agent is no reason to wait for it while it is silent.
    const isWell = agent !== undefined && (routes.isWell(agent) ?? fleet !== undefined);
    if (isWell) yield { sessionId: agent };
    const affinityKey = affinityKeyOf(service, key);
    yield { affinityKey };
    yield { affinityKey, requiredTags: [refusing(service)] };
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

  /** The own pool tells at once when an agent comes. Whether one has come to another gateway is looked up. */
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

  /** It has not taken the stream in time, which ends: the session gets no new ones until it says something again. */
  silent({ stream }: { readonly stream: YamuxStream }, message: string): TunnelError {
    const error = new TunnelError('ERR_TUNNEL_AGENT_SILENT', message);
    // As the pool tells failures of a session from those of a stream.
    stream.destroy(Object.assign(error, { scope: 'session' }));
    return error;
  }

  /** Nobody waits for an agent any more: they dial elsewhere now. */
  stopWaiting(): void {
    this.#leaving.abort();
  }
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
