// One node of a fleet: connects its parts.
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { YamuxStream } from '@zishuo/yamux';
import type { RoutingContext, SessionRef } from '@zishuo/yamux-balancer';
import { checkText } from './checks.ts';
import type { NodeRecord, Placement } from './directory/directory.ts';
import { FleetError } from './errors.ts';
import { Holdings } from './names/holdings.ts';
import type { KnownPlacement } from './names/known-placement.ts';
import { Lookups } from './names/lookups.ts';
import { NameCache } from './names/name-cache.ts';
import { Outbox } from './names/outbox.ts';
import { RateLimit } from './names/rate-limit.ts';
import { LEASE, Membership, unanswered } from './nodes/membership.ts';
import { NodeView, type ViewChange } from './nodes/node-view.ts';
import type { FleetStream } from './open/opened-stream.ts';
import { Opener } from './open/opener.ts';
import {
  type FleetCloseOptions,
  type FleetOpenOptions,
  type FleetOptions,
  type FleetSettings,
  fleetSettings,
  openSettings,
} from './options.ts';
import { withName } from './own-sessions.ts';
import type { Claim } from './peer/handshake.ts';
import type { AnswerStatus, SessionInfo } from './peer/head.ts';
import { PeerLinks } from './peer/peer-links.ts';
import { PeerPort } from './peer/peer-port.ts';
import { serveStream } from './peer/served-stream.ts';
import type { FleetExplanation, FleetStats, NodeExplanation, NodeStatus } from './stats.ts';
import { watchPool } from './watched-pool.ts';

/** ms for which an implausible answer of the directory is not used. */
const DOUBT = 2 * LEASE;
/** Random bytes of a node id. It is short, because the directory has the id once for each name of the node. */
const ID_BYTES = 8;
const MAX_UNKNOWN = 10_000;
const CACHE_TTL = 30_000;
const UNKNOWN_TTL = 1_000;

/**
 * Opens streams by name on the sessions of all nodes: on sessions of the node's own pool, or with one hop on sessions of another node. Agents connect
 * to the pool of one node as before. A directory tells the other nodes which names they serve.
 */
export class Fleet {
  readonly #settings: FleetSettings;
  readonly #holdings: Holdings;
  readonly #outbox = new Outbox();
  readonly #cache: NameCache;
  readonly #lookups: Lookups;
  readonly #view: NodeView;
  readonly #membership: Membership;
  /** Undefined if this node is alone. */
  readonly #port: PeerPort | undefined;
  readonly #links: PeerLinks;
  readonly #opener: Opener;
  readonly #answers: Record<AnswerStatus, number> = { accepted: 0, 'not-here': 0, gone: 0, refused: 0 };
  /** For each node id, the streams that the node asked for. */
  readonly #asked = new Map<string, number>();
  readonly #ends: (() => void)[] = [];
  #self: NodeRecord;
  #started: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Creates a node. It opens streams on its own sessions at once, and on those of other nodes after {@link start}.
   * @throws RangeError or TypeError for a wrong option.
   */
  constructor(options: FleetOptions) {
    const settings = fleetSettings(options);
    const { name, directory, pool, network, secret, sessions, choose, weight, clock, random, openOwn } = settings;
    const self = (): NodeRecord => this.#self;
    this.#settings = settings;
    this.#self = {
      id: randomBytes(ID_BYTES).toString('hex'),
      name,
      address: settings.address ?? '',
      weight,
      sessions: 0,
      load: 0,
      draining: false,
    };
    this.#view = new NodeView(this.#self, DOUBT);
    this.#holdings = new Holdings(this.#self.id, (changed) => {
      if (this.#holdings.placement(changed) === undefined) this.#cache.vanish(changed, clock.now());
      this.#tell(changed);
    });
    this.#cache = new NameCache({
      ttl: CACHE_TTL,
      unknownTtl: UNKNOWN_TTL,
      maxNames: settings.maxCachedNames,
      maxUnknown: MAX_UNKNOWN,
    });
    this.#membership = new Membership({
      directory,
      clock,
      random,
      self: () => this.#counted(),
      view: this.#view,
      holdings: this.#holdings,
      outbox: this.#outbox,
      isLinked: (id) => this.#links.isUp(id),
      changed: (change) => this.#follow(change),
    });
    this.#lookups = new Lookups({
      directory,
      cache: this.#cache,
      limit: new RateLimit(settings.maxUnknownLookups),
      clock,
      isDown: () => this.#membership.downSince !== undefined,
      isDoubtful: () => this.#view.isDoubtful(clock.now()),
    });
    this.#links = new PeerLinks({ network, clock, random, secret, self, sessions });
    const serve = (stream: YamuxStream, { from, name: peer }: Claim): void => {
      this.#asked.set(from, (this.#asked.get(from) ?? 0) + 1);
      void serveStream(stream, peer, served);
    };
    if (network !== undefined) {
      this.#port = new PeerPort({ network, clock, secret, self, serve });
    }
    const served = {
      openOwn,
      clock,
      holdings: this.#holdings,
      namesOf: settings.namesOf,
      infoOf: this.#infoOf,
      isClosing: () => this.#closing !== undefined,
      misplaced: (misplaced: string) => this.#tell(misplaced),
      answered: (status: AnswerStatus) => {
        this.#answers[status] += 1;
      },
      forwarded: (asked: string, session: SessionRef, stream: Duplex, peer: string) =>
        settings.onForwarded({ name: asked, session, stream, peer }),
    };
    this.#opener = new Opener({
      openOwn,
      clock,
      choice: { self: this.#self.id, choose, random },
      view: this.#view,
      holdings: this.#holdings,
      lookups: this.#lookups,
      links: this.#links,
      discover: () => this.#membership.discover(),
      infoOf: this.#infoOf,
    });
    this.#ends.push(watchPool(pool, this.#holdings, settings.namesOf));
  }

  /** The id, new with every process. No other node, and no earlier process of this node, has the same. */
  get id(): string {
    return this.#self.id;
  }

  /** The address at which peers reach this node; empty before {@link start}, or without `peers`. */
  get address(): string {
    return this.#self.address;
  }

  /**
   * Listens for peers, joins the fleet, and publishes the names of the pool. It also resolves if the directory does not answer: the node tries again
   * every second, and its own sessions serve meanwhile.
   * @throws what the peer port fails with: `EADDRINUSE`, and the like.
   */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const { address, host, directory, clock } = this.#settings;
    await this.#port?.listen();
    this.#tellSelf({ address: address ?? (this.#port === undefined ? '' : `${bracketed(host)}:${this.#port.port}`) });
    const unwatch = directory.watch({
      changed: (name) => this.#lookups.changed(name),
      unsure: () => {
        this.#lookups.unsure();
        this.#view.suspect(clock.now());
      },
      up: () => {
        // The engine may have come back empty: the next beat shows it.
        this.#view.suspect(clock.now());
        this.#membership.isUp();
      },
      down: () => this.#membership.isDown(),
    });
    this.#ends.push(unwatch);
    await this.#membership.start();
  }

  /**
   * Like `pool.openStream()`, on the sessions of all nodes that have the tag `name`. If an attempt fails, another session or node is tried, as long as no
   * agent can have seen the stream: with `acknowledged` until an agent has accepted it, else until it was handed to a link.
   * @throws what the pool rejects with; FleetError: `ERR_YAMUX_FLEET_GONE`, `ERR_YAMUX_FLEET_REFUSED` or `ERR_YAMUX_FLEET_UNREACHABLE` where other
   * nodes have sessions and none took the stream, `ERR_YAMUX_FLEET_DIRECTORY` where it is not known whether any has, `ERR_YAMUX_FLEET_CLOSED`.
   */
  async openStream(name: string, routing: RoutingContext = {}, options: FleetOpenOptions = {}): Promise<FleetStream> {
    if (this.#closing !== undefined) throw new FleetError('ERR_YAMUX_FLEET_CLOSED', 'The fleet is closed');
    checkText('name', name);
    return this.#opener.open(name, routing, openSettings(options));
  }

  /**
   * The nodes that have sessions for a name, including this one: from the cache, else by a lookup.
   * @throws FleetError (`ERR_YAMUX_FLEET_DIRECTORY`) where nothing is known of the name and the directory does not say.
   */
  async lookup(name: string): Promise<readonly Placement[]> {
    const { limited } = this.#lookups;
    let looked: readonly Placement[];
    try {
      looked = await this.#lookups.find(name);
    } catch (error) {
      throw unanswered(error);
    }
    const placements = this.#opener.placements(name, looked as readonly KnownPlacement[]);
    const isUnsaid = this.#membership.downSince !== undefined || this.#lookups.limited > limited;
    if (placements.length === 0 && isUnsaid) throw unanswered(undefined);
    return placements;
  }

  /** The number of known nodes, including this one. */
  get size(): number {
    return this.#view.size;
  }

  /** Every known node, this one first. */
  nodes(): NodeStatus[] {
    const now = this.#settings.clock.now();
    const status = Array.from(this.#view, ({ record, opens, heardAt }): NodeStatus => {
      const isSelf = record.id === this.#self.id;
      const link = this.#links.get(record.id);
      return {
        ...(isSelf ? this.#self : record),
        isSelf,
        links: link?.sessions ?? 0,
        isReachable: isSelf || link?.isUp === true,
        rtt: link?.rtt,
        opens,
        forwardsOut: this.#opener.forwardsTo(record.id),
        forwardsIn: this.#asked.get(record.id) ?? 0,
        heardMs: Math.max(0, now - heardAt),
        lastError: link?.lastError?.message,
      };
    });
    return status.sort((one, other) => Number(other.isSelf) - Number(one.isSelf));
  }

  /** The node to which an open would go, as far as is known without the directory. Opens nothing, and does not change the order of turns. */
  explain(name: string, routing: RoutingContext = {}): FleetExplanation {
    return {
      nodes: this.placements(name, routing),
      sessions: this.#settings.pool.explain(withName(routing, name)),
    };
  }

  /** The part of explain() that is about nodes. */
  placements(name: string, routing: RoutingContext = {}): NodeExplanation[] {
    const next = this.#opener.peek(name, routing)?.record.id;
    return this.#opener.placements(name, this.#lookups.peek(name)).map(({ node: id, sessions }) => {
      const node = this.#view.get(id);
      const isSelf = id === this.#self.id;
      const isReachable = isSelf || this.#links.isUp(id);
      const able = node?.record.draining === true ? ('draining' as const) : ('eligible' as const);
      const verdict = node === undefined ? ('gone' as const) : isReachable ? able : ('unreachable' as const);
      return { node: node?.record.name ?? id, isSelf, sessions, verdict, next: id === next };
    });
  }

  /** The current figures. */
  stats(): FleetStats {
    const nodes = this.nodes();
    const { downSince, answeredAt, beats, failures } = this.#membership;
    const now = this.#settings.clock.now();
    return {
      nodes: nodes.length,
      nodesReachable: nodes.filter(({ isReachable }) => isReachable).length,
      names: this.#holdings.size,
      namesUntold: this.#outbox.size,
      namesCached: this.#cache.size,
      namesUnknown: this.#cache.unknownSize,
      directoryDownMs: downSince === undefined ? undefined : now - downSince,
      beatAgeMs: answeredAt === undefined ? undefined : now - answeredAt,
      beats,
      beatFailures: failures,
      lookups: this.#lookups.asked,
      lookupFailures: this.#lookups.failed,
      lookupsLimited: this.#lookups.limited,
      forwardsOut: this.#opener.forwards,
      retries: this.#opener.retries,
      forwardsIn: { ...this.#answers },
      linksIn: this.#port?.size ?? 0,
      peersRejected: this.#port?.rejected ?? 0,
    };
  }

  /** From now on other nodes use this one only if no other can serve. Resolves when the directory knows. */
  async drain(): Promise<void> {
    this.#tellSelf({ draining: true });
    await this.#membership.beatNow();
  }

  /**
   * Leaves the fleet: refuses new opens, also those of peers. Streams of peers may continue for `timeout` milliseconds. The caller still owns the pool and
   * the directory. Repeated calls share one promise.
   */
  close(options: FleetCloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeout ?? 5_000);
    return this.#closing;
  }

  async #close(timeout: number): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    await this.#started?.catch(() => {});
    await this.#membership.stop();
    await Promise.all([this.#port?.close(timeout), this.#links.close(timeout)]);
  }

  /** `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #infoOf = (session: SessionRef): SessionInfo => {
    const { key, id, label } = session;
    return { key, id, label, facts: this.#settings.factsOf(session.snapshot()) };
  };

  #tell(name: string): void {
    this.#outbox.mark(name);
    this.#membership.flush();
  }

  #tellSelf(change: Partial<NodeRecord>): void {
    this.#self = { ...this.#self, ...change };
    const own = this.#view.get(this.#self.id);
    if (own !== undefined) own.record = this.#self;
  }

  /** This node's record, with its current load. */
  #counted(): NodeRecord {
    const { sessionsTotal, activeStreams, pendingStreams } = this.#settings.pool.stats({ sessions: false });
    this.#tellSelf({ sessions: sessionsTotal, load: activeStreams + pendingStreams });
    return this.#self;
  }

  #follow({ joined, left }: ViewChange): void {
    if (this.#closing !== undefined) return;
    for (const node of joined) this.#links.join(node);
    for (const { id } of left) {
      void this.#links.drop(id, 0);
      this.#asked.delete(id);
      this.#opener.forget(id);
    }
  }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
