// Options of a gateway, with their defaults and checks in one place.
import { checkLog, checkOptions } from '../arguments.ts';
import type { Log } from '../log.ts';
import type { TokenKeys } from '../token-keys.ts';
import { type Balance, parseBalance } from './balance.ts';
import type { Certificate } from './certificate.ts';
import type { TunnelFleetOptions } from './gateway-fleet.ts';
import type { Revocations } from './revocations.ts';
import type { TcpService } from './tcp-listener.ts';

/** Times in milliseconds, sizes in bytes. */
export interface TunnelGatewayOptions {
  /** Signs and checks the agents' tokens; at least 16 characters. May be left out where `keys` are given. */
  readonly secret?: string | undefined;
  /** The keys by which tokens are checked, in place of `secret` alone. */
  readonly keys?: TokenKeys | undefined;
  /** Agents, tenants and tokens that are refused. @defaultValue none */
  readonly revocations?: Revocations | undefined;
  /** The address to listen on. @defaultValue 127.0.0.1 */
  readonly host?: string | undefined;
  /** @defaultValue 0: any free one */
  readonly port?: number | undefined;
  /** With one, the public port speaks TLS: https: for clients and wss: for agents. @defaultValue none */
  readonly tls?: Certificate | undefined;
  /** Where agents dial in. @defaultValue /connect */
  readonly agentPath?: string | undefined;
  /** The Host by which they must, so that the path is free for all other hosts. @defaultValue any */
  readonly agentHost?: string | undefined;
  /** A port of their own: then none dials in at the public one. @defaultValue none */
  readonly agentPort?: number | undefined;
  /** Ports for raw TCP. @defaultValue none */
  readonly tcp?: readonly TcpService[] | undefined;
  /** The other gateways by which agents are reached, too. @defaultValue none */
  readonly fleet?: TunnelFleetOptions | undefined;
  /** What keeps requests on one agent: `header:<name>`, `cookie:<name>`, `ip`, `sticky` or `none`. @defaultValue none */
  readonly affinity?: string | undefined;
  /** How all other requests are spread: `least-conn`, `weighted`, `round-robin` or `random`. @defaultValue least-conn */
  readonly balance?: string | undefined;
  /** To find an agent that takes a request, all tries together: over a slow link what was sent before may be ahead of it. @defaultValue 30000 */
  readonly openTimeout?: number | undefined;
  /** That one agent has to take it before another one is asked, where there is one; else it has `openTimeout`. @defaultValue 3000 */
  readonly attemptTimeout?: number | undefined;
  /**
   * For which a request waits where no agent of its route is there or has room, as one that connects anew, before it is answered 503; 0: not
   * at all. At most what is left of `openTimeout`. @defaultValue 0
   */
  readonly agentWait?: number | undefined;
  /** Requests that wait so for one route; one more is answered 503. @defaultValue 100 */
  readonly maxWaitingPerRoute?: number | undefined;
  /** Without a byte moving, either way, before an exchange is given up; 0 is no limit. @defaultValue 60000 */
  readonly idleTimeout?: number | undefined;
  /** The same for WebSockets, other upgrades and raw TCP. @defaultValue 600000 */
  readonly joinedIdleTimeout?: number | undefined;
  /** For the head of a request, and for a TLS handshake. @defaultValue 15000 */
  readonly headersTimeout?: number | undefined;
  /** For the body of a request that has no answer yet; 0 is no limit. @defaultValue 3600000 */
  readonly bodyTimeout?: number | undefined;
  /** Bytes a second that such a body must bring, over 5 s; 0 is no limit. @defaultValue 100 */
  readonly minBodyRate?: number | undefined;
  /**
   * Bytes a second of an answer that a client must take while more of it waits, measured over 5 s or longer; 0 is no limit.
   * @defaultValue 100
   */
  readonly minAnswerRate?: number | undefined;
  /** Of the head of a request; a larger one is answered 431. At most 512 KiB. @defaultValue 16384 */
  readonly maxHeaderSize?: number | undefined;
  /** Headers of a request; more are answered 431. @defaultValue 4096 */
  readonly maxHeadersCount?: number | undefined;
  /** Of the head of an agent's answer; a larger one is answered 502. @defaultValue 65536 */
  readonly maxAnswerHeaderSize?: number | undefined;
  /** Requests of one connection that wait for the answer before them; then it is closed behind the last. @defaultValue 100 */
  readonly maxPipelined?: number | undefined;
  /**
   * Connections of one address to the public port and to that of the agents; one more is closed. Those of agents that were let in do not count. With
   * `trustedHops` they are the proxies', and have no bound. @defaultValue 1000
   */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** Requests and TCP connections of one client address at a time; one more is answered 429. @defaultValue 512 */
  readonly maxRequestsPerAddress?: number | undefined;
  /** Sessions that the agents of one tenant may hold; one more is refused with 503. @defaultValue 100 */
  readonly maxSessionsPerTenant?: number | undefined;
  /** Requests and TCP connections that run for one tenant at a time; one more is answered 503. @defaultValue 10000 */
  readonly maxRequestsPerTenant?: number | undefined;
  /**
   * By which the receive windows of one tenant's sessions may grow, all together, beyond 256 KiB a stream; then they grow no
   * more. @defaultValue 67108864
   */
  readonly maxWindowGrowthPerTenant?: number | undefined;
  /**
   * WebSocket messages a second that one tenant's agents may send, and as many at once; an empty one, a ping and a pong count as ten, ten Yamux
   * frames as one. What is above it is read later. @defaultValue 100000
   */
  readonly maxMessagesPerTenant?: number | undefined;
  /** Requests that run on one session at a time, at most what an agent's Yamux allows. @defaultValue 1000 */
  readonly maxStreamsPerSession?: number | undefined;
  /** Sessions that the agents of one tenant begin a second, twice as many at once; one more is refused with 503. @defaultValue 1000 */
  readonly maxDialsPerSecond?: number | undefined;
  /** Proxies in front that are trusted, so that what they say in X-Forwarded-* goes on. @defaultValue 0 */
  readonly trustedHops?: number | undefined;
  /** The same as `trustedHops: 1`. @defaultValue false */
  readonly trustForwarded?: boolean | undefined;
  /** For which a gateway that closes still takes connections: so long whoever stands in front may take to notice. @defaultValue 0 */
  readonly drainDelay?: number | undefined;
  /** That a WebSocket has when the gateway closes, before both its ends are told to (1001). @defaultValue 10000 */
  readonly webSocketDrain?: number | undefined;
  /** Agents' sessions that must have joined before the gateway says that it is ready. @defaultValue 0 */
  readonly readySessions?: number | undefined;
  /** Told of every event: a name, and fields for a line of JSON. @defaultValue nobody */
  readonly log?: Log | undefined;
}

const DEFAULTS = {
  openTimeout: 30_000,
  attemptTimeout: 3_000,
  agentWait: 0,
  maxWaitingPerRoute: 100,
  idleTimeout: 60_000,
  joinedIdleTimeout: 600_000,
  headersTimeout: 15_000,
  bodyTimeout: 3_600_000,
  minBodyRate: 100,
  minAnswerRate: 100,
  maxHeaderSize: 16_384,
  maxHeadersCount: 4_096,
  maxAnswerHeaderSize: 65_536,
  maxPipelined: 100,
  maxConnectionsPerAddress: 1_000,
  maxRequestsPerAddress: 512,
  maxSessionsPerTenant: 100,
  maxRequestsPerTenant: 10_000,
  maxWindowGrowthPerTenant: 67_108_864,
  maxMessagesPerTenant: 100_000,
  maxStreamsPerSession: 1_000,
  maxDialsPerSecond: 1_000,
  trustedHops: 0,
  drainDelay: 0,
  webSocketDrain: 10_000,
  readySessions: 0,
} as const;

export type GatewayNumber = keyof typeof DEFAULTS;
export const GATEWAY_NUMBERS: readonly GatewayNumber[] = Object.keys(DEFAULTS) as GatewayNumber[];
export type GatewayNumbers = Readonly<Record<GatewayNumber, number>>;

const NAMES: readonly string[] = Object.keys({
  secret: true,
  keys: true,
  revocations: true,
  host: true,
  port: true,
  tls: true,
  agentPath: true,
  agentHost: true,
  agentPort: true,
  tcp: true,
  fleet: true,
  affinity: true,
  balance: true,
  trustForwarded: true,
  log: true,
} satisfies Record<Exclude<keyof TunnelGatewayOptions, GatewayNumber>, true>).concat(GATEWAY_NUMBERS);

/** @throws TypeError for what is no object of options, an unknown one, or a log that cannot be called. */
export function checkGatewayOptions(options: TunnelGatewayOptions): void {
  checkOptions('TunnelGateway.listen()', options, NAMES);
  checkLog(options.log ?? (() => {}));
}

/** The least that an option may be, where that is not 0, and the most, where that is not 2^31-1. */
const LEAST: Partial<GatewayNumbers> = {
  openTimeout: 1,
  attemptTimeout: 1,
  headersTimeout: 1,
  maxHeaderSize: 1_024,
  maxHeadersCount: 1,
  maxAnswerHeaderSize: 1_024,
  maxPipelined: 1,
  maxConnectionsPerAddress: 1,
  maxRequestsPerAddress: 1,
  maxSessionsPerTenant: 1,
  maxRequestsPerTenant: 1,
  maxMessagesPerTenant: 1,
  maxStreamsPerSession: 1,
  maxDialsPerSecond: 1,
};
const MOST: Partial<GatewayNumbers> = { maxHeaderSize: 512 * 1024, maxAnswerHeaderSize: 1024 * 1024, trustedHops: 100 };

/** @throws RangeError for a number that is out of its range. */
export function gatewayNumbers(options: TunnelGatewayOptions): GatewayNumbers {
  const numbers: Record<string, number> = {};
  for (const [name, byDefault] of Object.entries(DEFAULTS)) {
    const key = name as GatewayNumber;
    const value = options[key] ?? byDefault;
    const [least, most] = boundsOf(key);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`expected ${name} to be a whole number from ${least} to ${most}, got ${value}`);
    }
    numbers[name] = value;
  }
  if (options.trustForwarded === true) numbers.trustedHops = Math.max(1, numbers.trustedHops as number);
  return numbers as GatewayNumbers;
}

export function boundsOf(name: GatewayNumber): readonly [least: number, most: number] {
  return [LEAST[name] ?? 0, MOST[name] ?? 2 ** 31 - 1];
}

export function defaultOf(name: GatewayNumber): number {
  return DEFAULTS[name];
}

export function balanceOf(options: TunnelGatewayOptions): Balance {
  return parseBalance(options.balance ?? 'least-conn');
}
