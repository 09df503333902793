// The options of a fleet and of one open, with their defaults and checks.

import type { Duplex } from 'node:stream';
import {
  type Clock,
  type SessionPool,
  type SessionRef,
  type SessionSnapshot,
  systemClock,
} from '@zishuo/yamux-balancer';
import { checkMethods, checkObject, checkOneOf, checkOptions, checkText, checkWhole } from './checks.ts';
import type { Choose } from './choosing/choice.ts';
import type { SessionDirectory } from './directory/directory.ts';
import { memoryDirectory } from './directory/memory.ts';
import type { OpenSettings } from './open/opener.ts';
import { type OpenOwn, openOn } from './own-sessions.ts';
import type { PeerNetwork } from './peer/network.ts';
import { type ListenAddress, type PeerTls, TcpNetwork } from './peer/tcp-network.ts';

/** How nodes reach each other: either `tls` or `secret` must be given. */
export interface PeerOptions {
  /** The address on which this node listens for its peers: a port of its own, not for clients. */
  readonly listen: ListenAddress;
  /** Certificates on both sides. The certificate of a node must be for its `name`. */
  readonly tls?: PeerTls | undefined;
  /**
   * A secret that all nodes of a fleet share, at least 32 random characters. Without `tls` the bytes are not encrypted, so use it alone only on a private
   * network. Together with `tls` it is a second proof.
   */
  readonly secret?: string | undefined;
  /**
   * The number of sessions to each other node.
   * @defaultValue 2
   */
  readonly sessions?: number | undefined;
  /** Another network than TCP; for tests. */
  readonly network?: PeerNetwork | undefined;
}

/** Of `new Fleet()`. */
export interface FleetOptions {
  /** The name of this node: stable over restarts, unique in the fleet. It decides the node's place in the order of affinity keys. */
  readonly name: string;
  /** The address at which other nodes reach the peer port: `host:port`. Undefined: the host of `peers.listen` and the bound port. */
  readonly address?: string | undefined;
  /**
   * The directory in which the nodes find each other.
   * @defaultValue memoryDirectory()
   */
  readonly directory?: SessionDirectory | undefined;
  /** The pool with the sessions of this node. The application adds and removes them as before; the fleet only watches. */
  readonly pool: SessionPool;
  /**
   * Returns the tags of a session that are names for other nodes. Called when the session joins and when it starts or stops draining.
   * @defaultValue all of its tags
   */
  readonly namesOf?: ((session: SessionSnapshot) => readonly string[]) | undefined;
  /**
   * Returns the facts that other nodes get about the session of their stream: a few kilobytes at most.
   * @defaultValue nothing
   */
  readonly factsOf?: ((session: SessionSnapshot) => Readonly<Record<string, string>>) | undefined;
  /**
   * Opens a stream on a session of the node's own pool, for this node and for its peers. The session must serve the name: for peers that is checked.
   * @defaultValue `pool.openStream()`, with the name among the required tags
   */
  readonly openOwn?: OpenOwn | undefined;
  /** Called for each stream of a peer, when its bytes begin to flow. */
  readonly onForwarded?: ((forwarded: Forwarded) => void) | undefined;
  /** The connection to the other nodes. Undefined: this node is alone. */
  readonly peers?: PeerOptions | undefined;
  /**
   * Whether sessions of this node come first, or all nodes are equal.
   * @defaultValue 'prefer-local'
   */
  readonly choose?: Choose | undefined;
  /**
   * The weight of this node relative to the others, above 0.
   * @defaultValue 1
   */
  readonly weight?: number | undefined;
  /**
   * The limit of names in the cache.
   * @defaultValue 100000
   */
  readonly maxCachedNames?: number | undefined;
  /**
   * The limit of lookups a second for unknown names.
   * @defaultValue 1000
   */
  readonly maxUnknownLookups?: number | undefined;
  /**
   * The clock, for tests.
   * @defaultValue the system's
   */
  readonly clock?: Clock | undefined;
  /**
   * A source of random numbers from 0 to below 1, for tests.
   * @defaultValue Math.random
   */
  readonly random?: (() => number) | undefined;
}

/** A stream of an own session that was given to a peer. */
export interface Forwarded {
  /** The name that the peer asked for. */
  readonly name: string;
  /** The session of the stream. */
  readonly session: SessionRef;
  /** The stream of the session. It is being read already, so `'data'` listeners can only observe it. */
  readonly stream: Duplex;
  /** The name of the asking node. */
  readonly peer: string;
}

/** Of `fleet.openStream()`; as those of the pool. */
export interface FleetOpenOptions {
  /** Cancels the open, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole open, over all nodes and sessions. No limit by default. */
  readonly timeout?: number | undefined;
  /** Milliseconds for each node, and for each session of the node's own pool. */
  readonly attemptTimeout?: number | undefined;
  /**
   * Wait until the agent has acknowledged the stream: one round trip, and if an agent refuses, the next one is tried. `'elsewhere'`: wait only if it is a
   * session of another node, so that `session` is known.
   * @defaultValue false
   */
  readonly acknowledged?: boolean | 'elsewhere' | undefined;
  /**
   * If no node can serve, wait until a session of the node's own pool can.
   * @defaultValue false
   */
  readonly wait?: boolean | undefined;
}

/** Of `fleet.close()`. */
export interface FleetCloseOptions {
  /**
   * Milliseconds for which streams of peers may continue; then they are reset.
   * @defaultValue 5000
   */
  readonly timeout?: number | undefined;
}

export interface FleetSettings {
  readonly name: string;
  readonly address: string | undefined;
  readonly directory: SessionDirectory;
  readonly pool: SessionPool;
  readonly namesOf: (session: SessionSnapshot) => readonly string[];
  readonly factsOf: (session: SessionSnapshot) => Readonly<Record<string, string>>;
  readonly openOwn: OpenOwn;
  readonly onForwarded: (forwarded: Forwarded) => void;
  readonly network: PeerNetwork | undefined;
  readonly host: string;
  readonly secret: string;
  readonly sessions: number;
  readonly choose: Choose;
  readonly weight: number;
  readonly maxCachedNames: number;
  readonly maxUnknownLookups: number;
  readonly clock: Clock;
  readonly random: () => number;
}

const FLEET_OPTIONS: readonly (keyof FleetOptions)[] = [
  'name',
  'address',
  'directory',
  'pool',
  'namesOf',
  'factsOf',
  'openOwn',
  'onForwarded',
  'peers',
  'choose',
  'weight',
  'maxCachedNames',
  'maxUnknownLookups',
  'clock',
  'random',
];
const PEER_OPTIONS: readonly (keyof PeerOptions)[] = ['listen', 'tls', 'secret', 'sessions', 'network'];
const OPEN_OPTIONS: readonly (keyof FleetOpenOptions)[] = [
  'signal',
  'timeout',
  'attemptTimeout',
  'acknowledged',
  'wait',
];
/** A shorter secret can be guessed from one recorded handshake. */
const SHORTEST_SECRET = 32;

/** @throws RangeError or TypeError. */
export function fleetSettings(options: FleetOptions): FleetSettings {
  checkOptions('a fleet', options, FLEET_OPTIONS);
  const {
    name,
    address,
    directory = memoryDirectory(),
    pool,
    namesOf = ({ tags }) => tags,
    factsOf = () => ({}),
    openOwn = openOn(pool),
    onForwarded = () => {},
    peers,
    choose = 'prefer-local',
    weight = 1,
    maxCachedNames = 100_000,
    maxUnknownLookups = 1_000,
    clock = systemClock,
    random = Math.random,
  } = options;
  checkText('name', name);
  if (address !== undefined) checkAddress(address);
  checkMethods('directory', directory, ['beat', 'publish', 'lookup', 'watch', 'leave']);
  checkMethods('pool', pool, ['openStream', 'sessions', 'stats', 'explain']);
  checkOneOf('choose', choose, ['prefer-local', 'global']);
  if (!(weight > 0 && weight < Infinity)) throw new RangeError(`Expected weight to be above 0, got ${weight}`);
  checkWhole('maxCachedNames', maxCachedNames, 1);
  checkWhole('maxUnknownLookups', maxUnknownLookups, 1);
  checkMethods('clock', clock, ['now', 'setTimeout', 'clearTimeout']);
  return {
    name,
    address,
    directory,
    pool,
    namesOf,
    factsOf,
    openOwn,
    onForwarded,
    ...peerSettings(peers),
    choose,
    weight,
    maxCachedNames,
    maxUnknownLookups,
    clock,
    random,
  };
}

function peerSettings(peers: PeerOptions | undefined): Pick<FleetSettings, 'network' | 'host' | 'secret' | 'sessions'> {
  if (peers === undefined) return { network: undefined, host: '', secret: '', sessions: 0 };
  checkOptions('peers', peers, PEER_OPTIONS);
  const { listen, tls, secret, sessions = 2, network } = peers;
  checkObject('peers.listen', listen);
  checkWhole('peers.listen.port', listen.port, 0);
  checkWhole('peers.sessions', sessions, 1);
  if (tls === undefined && secret === undefined) {
    throw new TypeError('Expected peers to have tls or a secret: a peer port without either is open to everybody');
  }
  if (secret !== undefined) {
    checkText('peers.secret', secret);
    if (secret.length < SHORTEST_SECRET) {
      throw new RangeError(
        `Expected peers.secret to have at least ${SHORTEST_SECRET} characters, got ${secret.length}`,
      );
    }
  }
  if (tls !== undefined) {
    checkOptions('peers.tls', tls, ['cert', 'key', 'ca']);
    const parts: Partial<PeerTls> = tls;
    for (const part of ['cert', 'key', 'ca'] as const) {
      if (!parts[part]?.length) throw new TypeError(`Expected peers.tls.${part} to be PEM, got nothing`);
    }
  }
  const host = listen.host ?? '127.0.0.1';
  return { network: network ?? new TcpNetwork({ ...listen, host }, tls), host, secret: secret ?? '', sessions };
}

function checkAddress(address: string): void {
  checkText('address', address);
  const port = Number(/:(\d+)$/.exec(address)?.[1]);
  if (!(port > 0 && port < 65_536)) throw new TypeError(`Expected address to be host:port, got ${address}`);
}

/** @throws TypeError */
export function openSettings(options: FleetOpenOptions): OpenSettings {
  checkOptions('an open', options, OPEN_OPTIONS);
  const { signal, timeout, attemptTimeout, acknowledged = false, wait = false } = options;
  for (const [name, ms] of Object.entries({ timeout, attemptTimeout })) {
    if (ms !== undefined && !(ms >= 0 && ms < 2 ** 31)) {
      throw new RangeError(`Expected ${name} to be between 0 and ${2 ** 31 - 1} ms, got ${ms}`);
    }
  }
  return { signal, timeout, attemptTimeout, acknowledged, wait };
}
