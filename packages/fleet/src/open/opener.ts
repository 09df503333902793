// Opens one stream: on the node's own pool or on another node, then on the next, as long as no agent can have seen a byte of the stream.
import type { RoutingContext, SessionRef } from '@zishuo/yamux-balancer';
import { type Clock, rendezvousHash } from '@zishuo/yamux-balancer';
import { type ChoiceContext, chooseNode } from '../choosing/choice.ts';
import { FleetError } from '../errors.ts';
import type { Holdings } from '../names/holdings.ts';
import type { KnownPlacement } from '../names/known-placement.ts';
import type { Lookups } from '../names/lookups.ts';
import { unanswered } from '../nodes/membership.ts';
import type { KnownNode, NodeView } from '../nodes/node-view.ts';
import type { OpenOwn } from '../own-sessions.ts';
import { readAnswer } from '../peer/front.ts';
import { encodeHead, type SessionInfo } from '../peer/head.ts';
import type { PeerLinks } from '../peer/peer-links.ts';
import { PeerStream } from '../peer/peer-stream.ts';
import { refusalError } from '../peer/refusal-error.ts';
import { OpenDeadline } from './open-deadline.ts';
import type { FleetStream } from './opened-stream.ts';

export interface OpenSettings {
  readonly signal: AbortSignal | undefined;
  readonly timeout: number | undefined;
  readonly attemptTimeout: number | undefined;
  readonly acknowledged: boolean | 'elsewhere';
  readonly wait: boolean;
}

export interface OpenerSettings {
  readonly openOwn: OpenOwn;
  readonly clock: Clock;
  readonly choice: Omit<ChoiceContext, 'reachable'>;
  readonly view: NodeView;
  readonly holdings: Holdings;
  readonly lookups: Lookups;
  readonly links: PeerLinks;
  /** Asks the directory for the live nodes at once. */
  readonly discover: () => Promise<void>;
  readonly infoOf: (session: SessionRef) => SessionInfo;
}

/** ms to wait for the first link to a new node, if no other node can serve. */
const FIRST_LINK = 1_000;

/** ms before the directory is asked again, each time: an agent that moves is told of within that. */
const LOOKS: readonly number[] = [0, 100, 200, 400];
/** Tries another session after a refusal, because a session may be leaving or overloaded. */
const LOOKS_WHEN_REFUSED = 2;

/** One open in progress. */
interface Opening {
  readonly name: string;
  /** The part of the head that is the same for every node. */
  readonly routing: RoutingContext;
  readonly keyHash: number | undefined;
  readonly settings: OpenSettings;
  readonly deadline: OpenDeadline;
  readonly tried: Set<string>;
  /** The error to throw if no other node can serve. Errors of nodes with sessions take precedence. */
  failure: unknown;
  /** Whether a node that could not be asked may have sessions, or has just lost them. */
  isHopeful: boolean;
  /** The number of repeated lookups. */
  looks: number;
}

export class Opener {
  /** Streams served by other nodes so far, and opens that tried a further node. */
  forwards = 0;
  retries = 0;
  readonly #settings: OpenerSettings;
  readonly #choice: ChoiceContext;
  #requests = 0;
  readonly #forwardsTo = new Map<string, number>();

  constructor(settings: OpenerSettings) {
    const { view, links, choice } = settings;
    this.#settings = settings;
    this.#choice = {
      ...choice,
      reachable: (id) => (id === choice.self || links.isUp(id) ? view.get(id) : undefined),
    };
  }

  /** Streams served by one node. */
  forwardsTo(node: string): number {
    return this.#forwardsTo.get(node) ?? 0;
  }

  /** Forgets a node that is gone. */
  forget(node: string): void {
    this.#forwardsTo.delete(node);
  }

  async open(name: string, routing: RoutingContext, settings: OpenSettings): Promise<FleetStream> {
    const key = this.#settings.view.size > 1 ? keyOf(routing) : undefined;
    const opening: Opening = {
      name,
      routing: key === undefined ? routing : { ...routing, orderedBy: key },
      keyHash: key === undefined ? undefined : rendezvousHash(key),
      settings,
      deadline: new OpenDeadline(this.#settings.clock, settings.timeout, settings.signal),
      tried: new Set(),
      failure: undefined,
      isHopeful: false,
      looks: 0,
    };
    for (;;) {
      const node = await this.#choose(opening);
      if (node === undefined) {
        if (await this.#lookAgain(opening)) continue;
        return this.#openLast(opening);
      }
      try {
        return await this.#openAt(node, opening);
      } catch (error) {
        opening.deadline.check();
        this.retries += 1;
        opening.tried.add(node.record.id);
        if (opening.failure === undefined || isAboutNobody(opening.failure)) opening.failure = error;
        if (codeOf(error) === 'ERR_YAMUX_FLEET_NOT_HERE') await this.#settings.lookups.refresh(name);
        if (codeOf(error) === 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION') continue;
        if (opening.looks < LOOKS_WHEN_REFUSED || !isRefused(error)) opening.isHopeful = true;
      }
    }
  }

  /** The node that would be asked first. Asks nobody. */
  peek(name: string, routing: RoutingContext): KnownNode | undefined {
    const key = this.#settings.view.size > 1 ? keyOf(routing) : undefined;
    const keyHash = key === undefined ? undefined : rendezvousHash(key);
    return chooseNode(this.placements(name, this.#settings.lookups.peek(name)), keyHash, undefined, this.#choice);
  }

  /** This node's current placement, and those of the other nodes. */
  placements(name: string, looked: readonly KnownPlacement[]): readonly KnownPlacement[] {
    const own = this.#settings.holdings.placement(name);
    const { self } = this.#settings.choice;
    if (own === undefined && !looked.some(({ node }) => node === self)) return looked;
    const others = looked.filter(({ node }) => node !== self);
    return own === undefined ? others : [own, ...others];
  }

  async #choose(opening: Opening): Promise<KnownNode | undefined> {
    const { holdings, lookups, view, choice } = this.#settings;
    const { name, keyHash, tried, deadline } = opening;
    const own = view.get(choice.self);
    const { sessionId } = opening.routing;
    const mayStayHere = keyHash === undefined && choice.choose === 'prefer-local' && !tried.has(choice.self);
    const here = holdings.placement(name);
    if (mayStayHere && own?.record.draining === false && here !== undefined && mayHave(here, sessionId)) return own;
    let looked: readonly KnownPlacement[];
    try {
      const found = lookups.find(name);
      looked = found instanceof Promise ? await deadline.within(Infinity, (signal) => orAborted(found, signal)) : found;
    } catch (error) {
      deadline.check();
      opening.failure ??= unanswered(error);
      looked = [];
    }
    const placements = this.placements(name, looked).filter((placement) => mayHave(placement, sessionId));
    const chosen = chooseNode(placements, keyHash, tried, this.#choice);
    if (chosen !== undefined) return chosen;
    if (placements.some(({ node }) => !tried.has(node)) || lookups.isMoving(name)) opening.isHopeful = true;
    return (await this.#waitForLink(placements, opening))
      ? chooseNode(placements, keyHash, tried, this.#choice)
      : undefined;
  }

  /**
   * Called when no node is left to try although a node has sessions, or had them a moment ago: an agent moves, or a node is new. Asks the directory again,
   * at once and a few times later. False if that cannot help.
   */
  async #lookAgain(opening: Opening): Promise<boolean> {
    const { lookups, discover, clock } = this.#settings;
    const { name, tried, deadline } = opening;
    const ms = LOOKS[opening.looks];
    if (!opening.isHopeful || ms === undefined) return false;
    opening.looks += 1;
    opening.isHopeful = false;
    if (ms > 0) {
      const pause = (signal: AbortSignal): Promise<void> =>
        new Promise((resolve, reject) => {
          const timer = clock.setTimeout(resolve, ms);
          signal.addEventListener('abort', () => {
            clock.clearTimeout(timer);
            reject(signal.reason as Error);
          });
        });
      await deadline.within(Infinity, pause);
      tried.clear();
    }
    const asked = Promise.all([lookups.refresh(name), discover()]);
    await deadline.within(Infinity, (signal) => orAborted(asked, signal));
    return true;
  }

  /** True if a node with sessions for the name was not dialed before and is now. */
  async #waitForLink(placements: readonly KnownPlacement[], opening: Opening): Promise<boolean> {
    const { links, view } = this.#settings;
    const { tried, deadline } = opening;
    const others = placements.filter(({ node }) => !tried.has(node) && view.get(node) !== undefined);
    const dials = others.flatMap(({ node }) => links.get(node)?.firstDial ?? []);
    if (dials.length === 0) return false;
    const { record } = view.get(others[0]?.node as string) as KnownNode;
    opening.failure ??= new FleetError('ERR_YAMUX_FLEET_UNREACHABLE', `No link to node '${record.name}'`);
    await deadline.within(FIRST_LINK, (signal) => orAborted(Promise.any(dials), signal)).catch(() => deadline.check());
    return true;
  }

  #openAt(node: KnownNode, opening: Opening): Promise<FleetStream> {
    node.opens += 1;
    return node.record.id === this.#settings.choice.self
      ? this.#openHere(node, opening, false)
      : this.#openThere(node, opening);
  }

  async #openHere(node: KnownNode, opening: Opening, wait: boolean): Promise<FleetStream> {
    const { openOwn, infoOf } = this.#settings;
    const { name, deadline, routing, settings } = opening;
    const { signal, attemptTimeout, acknowledged } = settings;
    const timeout = deadline.left;
    const limits = { signal, timeout, attemptTimeout, acknowledged: acknowledged === true, wait };
    const { stream, session } = await openOwn(name, routing, limits);
    return {
      stream,
      node: node.record,
      ref: session,
      get session() {
        return infoOf(session);
      },
    };
  }

  /** No other node can serve: throws the error of this node's own pool, unless a node had sessions and did not take the stream. */
  async #openLast(opening: Opening): Promise<FleetStream> {
    const { choice, view } = this.#settings;
    const { tried, failure, settings } = opening;
    const self = view.get(choice.self) as KnownNode;
    if (settings.wait) return this.#openHere(self, opening, true);
    if (failure !== undefined && !isAboutNobody(failure)) throw failure;
    if (tried.has(choice.self)) throw failure;
    return this.#openHere(self, opening, false);
  }

  async #openThere({ record }: KnownNode, opening: Opening): Promise<FleetStream> {
    const { links } = this.#settings;
    const { name, routing, deadline, settings } = opening;
    const { attemptTimeout = Infinity } = settings;
    const acknowledged = settings.acknowledged !== false;
    this.#requests += 1;
    const requestId = `${this.#settings.choice.self}-${this.#requests}`;
    return deadline.within(attemptTimeout, async (signal) => {
      const remainingMs = Math.ceil(Math.min(deadline.left ?? Infinity, attemptTimeout));
      const head = encodeHead({
        name,
        routing,
        requestId,
        remainingMs: remainingMs === Infinity ? 0 : remainingMs,
        acknowledged,
      });
      const stream = await links.open(record.id, signal);
      this.forwards += 1;
      this.#forwardsTo.set(record.id, this.forwardsTo(record.id) + 1);
      stream.write(head);
      if (!acknowledged) {
        const passing = new PeerStream(stream, record.name);
        return {
          stream: passing,
          node: record,
          ref: undefined,
          get session() {
            return passing.servedBy;
          },
        };
      }
      const abort = (): void => void stream.destroy(signal.reason as Error);
      signal.addEventListener('abort', abort);
      stream.on('error', ignored);
      try {
        const answer = await readAnswer(stream);
        if (answer.status !== 'accepted') {
          stream.destroy();
          throw refusalError(answer, record.name);
        }
        stream.off('error', ignored);
        return { stream, node: record, ref: undefined, session: answer.session };
      } finally {
        signal.removeEventListener('abort', abort);
      }
    });
  }
}

function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
  return Promise.race([promise, aborted]);
}

/** A node that lists its agents has no others. */
function mayHave({ agents }: KnownPlacement, agent: string | undefined): boolean {
  return !agent || agents.length === 0 || agents.some(({ id }) => id === agent);
}

/** The routing of one open, as options of the pool. */
function keyOf({ orderedBy, affinityKey, sourceIp }: RoutingContext): string | undefined {
  return orderedBy || affinityKey || (sourceIp ? `ip:${sourceIp}` : undefined);
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null | undefined)?.code;
}

/** Whether the error means that there is no session, not that a session refused the stream. */
function isAboutNobody(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ERR_YAMUX_POOL_NO_MATCHING_SESSION' || code === 'ERR_YAMUX_FLEET_NOT_HERE';
}

function isRefused(error: unknown): boolean {
  return (error as { readonly refused?: unknown }).refused === true;
}

function ignored(): void {}
