// Reaches the agents of all gateways of a fleet from one gateway: the fleet opens the streams, and unknown routes are looked up in the directory. For
// streams of other gateways, this gateway's own pool decides.
import type { YamuxStream } from '@zishuo/yamux';
import { NoMatchingSessionError, type RoutingContext, type SessionSnapshot } from '@zishuo/yamux-balancer';
import { Fleet, FleetError, type FleetOptions, type Forwarded, type OpenOwn } from '@zishuo/yamux-fleet';
import { codeOf, TunnelError } from '../errors.ts';
import { parseRoute } from '../http/route.ts';
import { ForwardedWatch } from './forwarded-watch.ts';
import type { Fleetway, OpenLimits } from './route-opener.ts';
import { type OpenedTunnel, type Routes, type Serving, serviceOf } from './routes.ts';

/** Of a gateway in a fleet; as of `new Fleet()`. */
export type TunnelFleetOptions = Pick<
  FleetOptions,
  'name' | 'address' | 'directory' | 'peers' | 'choose' | 'weight' | 'maxCachedNames' | 'maxUnknownLookups'
>;

export interface GatewayFleetSettings {
  readonly options: TunnelFleetOptions;
  readonly routes: Routes;
  /** Bytes of an answer's head. */
  readonly maxAnswerHeaderSize: number;
  /** Told of every agent of another gateway that serves what is asked for here; undefined where nobody wants to know. */
  readonly meet: ((agent: string) => void) | undefined;
}

/** Milliseconds after which it is looked up again whether another gateway has a closer route for a host. */
const HOST_TTL = 30_000;
const MAX_HOSTS = 10_000;
const MAX_SESSIONS = 10_000;
/** Segments of a path that a route of another gateway may have. */
const MAX_SEGMENTS = 16;
/** The limit of parent hosts that are tried with `*.`. */
const MAX_LABELS = 16;
/** The name that is there while any route of the fleet is for `*.`. No route is called so. */
const WILDCARDS = '*';

/** The known routes of a host at other gateways. */
interface KnownHost {
  /** By performance.now(). */
  until: number;
  /** Some are for paths: which one takes a request is asked for each path. */
  readonly hasPaths: boolean;
}

export class GatewayFleet implements Fleetway {
  readonly fleet: Fleet;
  readonly #settings: GatewayFleetSettings;
  /** The one that was looked up longest ago first. */
  readonly #hosts = new Map<string, KnownHost>();
  /** Sessions of other gateways, so that each is one object. */
  readonly #sessions = new Map<string, Serving>();

  constructor(settings: GatewayFleetSettings) {
    const { options, routes } = settings;
    this.#settings = settings;
    this.fleet = new Fleet({
      ...options,
      pool: routes.pool,
      namesOf,
      factsOf: ({ key }) => {
        const session = routes.byKey(key);
        return { tenant: session?.claims.tenant ?? '', exchange: session?.speaksBlocks === true ? 'blocks' : 'http1' };
      },
      openOwn: this.#openOwn,
      onForwarded: (forwarded) => this.#watch(forwarded),
    });
  }

  async open(service: string, routing: RoutingContext, limits: OpenLimits): Promise<OpenedTunnel> {
    const { routes } = this.#settings;
    // The protocol of an agent is known for agents here, and for others after their answer.
    const acknowledged = limits.acknowledged || 'elsewhere';
    const opened = await this.fleet
      .openStream(service, routing, { ...limits, acknowledged })
      .catch((error: unknown) => {
        throw asOfPool(error);
      });
    const stream = opened.stream as YamuxStream;
    const { ref, node, session } = opened;
    if (ref === undefined && session !== undefined) {
      const { tenant = '' } = session.facts;
      routes.learn(service, tenant === '' ? undefined : routes.tenants.of(tenant));
      this.#settings.meet?.(session.id);
      const speaksBlocks = session.facts.exchange === 'blocks';
      return { stream, to: this.#session(`${node.id}/${session.key}`, session.id, speaksBlocks, node.name) };
    }
    const to = ref && routes.byKey(ref.key);
    if (to !== undefined) return { stream, to };
    stream.destroy();
    throw new NoMatchingSessionError('The session has ended');
  }

  hasElsewhere(service: string): boolean {
    return this.fleet.placements(service).some(({ isSelf, verdict }) => !isSelf && verdict === 'eligible');
  }

  /**
   * The route for a request, among the routes of all gateways; undefined if there is none.
   * @throws FleetError (`ERR_YAMUX_FLEET_DIRECTORY`) where this gateway knows none, and the directory does not say.
   */
  find(host: string, path: string): string | undefined | Promise<string | undefined> {
    const { routes, meet } = this.#settings;
    if (this.fleet.size === 1) {
      // Other gateways may have joined since the last beat: only a route of this one is certain.
      const own = routes.find(host, path);
      if (own !== undefined) return own;
    }
    const known = this.#hosts.get(host);
    if (known === undefined || known.hasPaths || meet !== undefined) return this.#discover(host, path);
    const now = performance.now();
    if (now >= known.until) {
      known.until = now + HOST_TTL; // extended by the first request
      this.#discover(host, path).catch(() => {});
    }
    return routes.find(host, path);
  }

  async #discover(host: string, path: string): Promise<string | undefined> {
    const { routes } = this.#settings;
    try {
      const hasPaths = await this.#learnRoutes(host, path);
      const found = routes.find(host, path);
      if (found !== undefined) this.#remember(host, hasPaths);
      return found;
    } catch (error) {
      const found = routes.find(host, path);
      if (found !== undefined) return found;
      throw error;
    }
  }

  /** From the closest host to the widest, until one takes the request. True: there are routes with paths among those that were looked at. */
  async #learnRoutes(host: string, path: string): Promise<boolean> {
    const { routes } = this.#settings;
    let hasPaths = false;
    for (const candidate of await this.#candidates(host)) {
      const [, isSplit] = await Promise.all([this.#learn(candidate), this.#isServed(`${candidate}/`)]);
      if (isSplit) {
        hasPaths = true;
        await Promise.all(prefixesOf(path).map((prefix) => this.#learn(candidate + prefix)));
      }
      const found = routes.find(host, path);
      if (found !== undefined && parseRoute(found).host === candidate) break;
    }
    return hasPaths;
  }

  async #candidates(host: string): Promise<readonly string[]> {
    const candidates = [host];
    if (!(await this.#isServed(WILDCARDS))) return candidates;
    for (let dot = host.indexOf('.'); dot !== -1 && candidates.length <= MAX_LABELS; dot = host.indexOf('.', dot + 1)) {
      candidates.push(`*${host.slice(dot)}`);
    }
    return candidates;
  }

  async #learn(route: string): Promise<void> {
    const { routes, meet } = this.#settings;
    const placements = await this.fleet.lookup(route);
    if (placements.length === 0) return;
    routes.learn(route);
    if (meet !== undefined) for (const { agents } of placements) for (const { id } of agents) meet(id);
  }

  async #isServed(name: string): Promise<boolean> {
    return (await this.fleet.lookup(name)).length > 0;
  }

  #remember(host: string, hasPaths: boolean): void {
    this.#hosts.delete(host);
    this.#hosts.set(host, { until: performance.now() + HOST_TTL, hasPaths });
    dropOldest(this.#hosts, MAX_HOSTS);
  }

  #session(key: string, agent: string, speaksBlocks: boolean, gateway: string): Serving {
    const session = this.#sessions.get(key) ?? { claims: { agent }, speaksBlocks, gateway };
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    dropOldest(this.#sessions, MAX_SESSIONS);
    return session;
  }

  /** For this gateway, and for another one: then it counts as a request of the tenant here, too. */
  readonly #openOwn: OpenOwn = async (name, routing, { peer, ...limits }) => {
    const { routes } = this.#settings;
    if (peer === undefined) return routes.openOwn(name, routing, limits);
    const tenant = routes.tenantOf(name);
    if (tenant?.takeRequest() === false) {
      throw new TunnelError('ERR_TUNNEL_TENANT_LIMIT', `tenant ${tenant.name} has too many requests at a time`);
    }
    try {
      const opened = await routes.openOwn(name, routing, limits);
      if (tenant !== undefined) opened.stream.once('close', () => tenant.giveRequest());
      return opened;
    } catch (error) {
      tenant?.giveRequest();
      throw error;
    }
  };

  #watch({ name, session, stream }: Forwarded): void {
    const { routes, maxAnswerHeaderSize } = this.#settings;
    const own = routes.byKey(session.key);
    if (own?.speaksBlocks === true) new ForwardedWatch(stream, maxAnswerHeaderSize, own, name, routes);
  }
}

/** The routes of a session, and what tells that there are routes with paths, or for `*.`, at all. */
function namesOf({ tags }: SessionSnapshot): readonly string[] {
  const names = new Set<string>();
  for (const tag of tags) {
    const service = serviceOf(tag);
    names.add(service);
    const slash = service.indexOf('/');
    if (slash !== -1) names.add(service.slice(0, slash + 1));
    if (service.startsWith('*.')) names.add(WILDCARDS);
  }
  return [...names];
}

/** Every prefix that a route may have: '/a' and '/a/b' of '/a/b/'. */
function prefixesOf(path: string): readonly string[] {
  const prefixes: string[] = [];
  for (let end = path.indexOf('/', 1); prefixes.length < MAX_SEGMENTS; end = path.indexOf('/', end + 1)) {
    const prefix = end === -1 ? path : path.slice(0, end);
    if (!prefix.endsWith('/')) prefixes.push(prefix);
    if (end === -1) break;
  }
  return prefixes;
}

/** What a pool would have said: what went wrong at another gateway is answered as if it had gone wrong here. */
function asOfPool(error: unknown): unknown {
  if (!(error instanceof FleetError)) return error;
  if (error.code === 'ERR_YAMUX_FLEET_NOT_HERE') return new NoMatchingSessionError(error.message);
  const code = codeOf(error.cause, error.code);
  if (error.code !== 'ERR_YAMUX_FLEET_GONE' && error.code !== 'ERR_YAMUX_FLEET_REFUSED') return error;
  return Object.assign(new Error(error.message, { cause: error }), { code, refused: true });
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  if (map.size <= max) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
