// The options of a fleet and of one open, with their defaults and checks in one place.

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
  /** Where this node listens for its peers: a port of its own, which is not for clients. */
  readonly listen: ListenAddress;
  /** Certificates on both sides. The certificate of a node must be for its `name`. */
  readonly tls?: PeerTls | undefined;
  /**
   * What all nodes of a fleet know and nobody else does, at least 32 characters of chance: for networks that are private, since the bytes
   * themselves are then not encrypted. Beside `tls`: a second proof.
   */
  readonly secret?: string | undefined;
  /**
   * Sessions to each other node.
   * @defaultValue 2
   */
  readonly sessions?: number | undefined;
  /** Another network than TCP; for tests. */
  readonly network?: PeerNetwork | undefined;
}

/** Of `new Fleet()`. */
export interface FleetOptions {
  /** Of this node: stable over restarts, and no other node's. Its place in the order of affinity keys. */
  readonly name: string;
  /** Where the other nodes reach its peer port: `host:port`. Undefined: the host of `peers.listen` and the port that is bound. */
  readonly address?: string | undefined;
  /**
   * Where the nodes find each other.
   * @defaultValue memoryDirectory()
   */
  readonly directory?: SessionDirectory | undefined;
  /** The sessions of this node. They join and leave as ever; the fleet watches. */
  readonly pool: SessionPool;
  /**
   * Which tags of a session are names under which other nodes may ask for it. Read when the session joins and when it begins or ends to drain.
   * @defaultValue all of its tags
   */
  readonly namesOf?: ((session: SessionSnapshot) => readonly string[]) | undefined;
  /**
   * What other nodes are told of a session that serves their stream: at most a few kilobytes.
   * @defaultValue nothing
   */
  readonly factsOf?: ((session: SessionSnapshot) => Readonly<Record<string, string>>) | undefined;
  /**
   * How a stream is opened on a session of the own pool, for this node and for its peers. The session must serve the name: for peers that is checked.
   * @defaultValue `pool.openStream()`, with the name among the required tags
   */
  readonly openOwn?: OpenOwn | undefined;
  /** Told of each stream that a peer was given, when its bytes begin to go through. */
  readonly onForwarded?: ((forwarded: Forwarded) => void) | undefined;
  /** The way to the other nodes. Undefined: this node is alone. */
  readonly peers?: PeerOptions | undefined;
  /**
   * Own sessions first, or all nodes alike.
   * @defaultValue 'prefer-local'
   */
  readonly choose?: Choose | undefined;
  /**
   * The share of the load that this node can take, in relation to the others': above 0.
   * @defaultValue 1
   */
  readonly weight?: number | undefined;
  /**
   * Names whose nodes are remembered.
   * @defaultValue 100000
   */
  readonly maxCachedNames?: number | undefined;
  /**
   * Lookups a second of names of which nothing is known.
   * @defaultValue 1000
   */
  readonly maxUnknownLookups?: number | undefined;
  /**
   * Where time comes from; for tests.
   * @defaultValue the system's
   */
  readonly clock?: Clock | undefined;
  /**
   * A source of chance, at least 0 and below 1; for tests.
   * @defaultValue Math.random
   */
  readonly random?: (() => number) | undefined;
}

/** A stream of an own session that was given to a peer. */
export interface Forwarded {
  /** By which it was asked for. */
  readonly name: string;
  /** Whose it is. */
  readonly session: SessionRef;
  /** The session's own stream, which is read already: listeners of `'data'` may look on. */
  readonly stream: Duplex;
  /** The name of the node that asked. */
  readonly peer: string;
}

/** Of `fleet.openStream()`; as those of the pool. */
export interface FleetOpenOptions {
  /** Gives up: the open rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole open, all nodes and sessions together. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /** Milliseconds for each node, and for each session of the own pool. */
  readonly attemptTimeout?: number | undefined;
  /**
   * Wait until the agent has acknowledged the stream: one round trip, and whoever refuses is followed by another. `'elsewhere'`: only where it is
   * a session of another node, so that it is known whose.
   * @defaultValue false
   */
  readonly acknowledged?: boolean | 'elsewhere' | undefined;
  /**
   * Where no node can serve: wait until a session of the own pool does.
   * @defaultValue false
   */
  readonly wait?: boolean | undefined;
}

/** Of `fleet.close()`. */
export interface FleetCloseOptions {
  /**
   * Milliseconds that streams of peers may go on; then they are reset.
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
