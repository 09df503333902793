// The options of a gateway, with their defaults and checks.
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
  /** The path for agents. @defaultValue /connect */
  readonly agentPath?: string | undefined;
  /** The Host by which they must, so that the path is free for all other hosts. @defaultValue any */
  readonly agentHost?: string | undefined;
  /** A separate port for agents. Then agents cannot dial the public port. @defaultValue none */
  readonly agentPort?: number | undefined;
  /** Ports for raw TCP. @defaultValue none */
  readonly tcp?: readonly TcpService[] | undefined;
  /** The other gateways by which agents are reached, too. @defaultValue none */
  readonly fleet?: TunnelFleetOptions | undefined;
  /** The affinity of requests to an agent: `header:<name>`, `cookie:<name>`, `ip`, `sticky` or `none`. @defaultValue none */
  readonly affinity?: string | undefined;
  /** The strategy for requests without affinity: `least-conn`, `weighted`, `round-robin` or `random`. @defaultValue least-conn */
  readonly balance?: string | undefined;
  /** ms to find an agent for a request, over all tries. On a slow link, data sent earlier may be ahead of the request. @defaultValue 30000 */
  readonly openTimeout?: number | undefined;
  /** ms for one agent to acknowledge the stream before another agent is tried; without another one `openTimeout` applies. @defaultValue 3000 */
  readonly attemptTimeout?: number | undefined;
  /**
   * ms that a request waits for an agent if its route has no connected agent with room, for example while an agent reconnects; then 503. 0: no
   * wait. At most the rest of `openTimeout`. @defaultValue 0
   */
  readonly agentWait?: number | undefined;
  /** The limit of requests that wait for one route; above it the response is 503. @defaultValue 100 */
  readonly maxWaitingPerRoute?: number | undefined;
  /** ms without a byte in either direction after which an exchange ends; 0 is no limit. @defaultValue 60000 */
  readonly idleTimeout?: number | undefined;
  /** The same for WebSockets, other upgrades and raw TCP. @defaultValue 600000 */
  readonly joinedIdleTimeout?: number | undefined;
  /** ms for the head of a request, and for a TLS handshake. @defaultValue 15000 */
  readonly headersTimeout?: number | undefined;
  /** ms for the body of a request without a response so far; 0 is no limit. @defaultValue 3600000 */
  readonly bodyTimeout?: number | undefined;
  /** Bytes a second that such a body must bring, measured over 5 s; 0 is no limit. @defaultValue 100 */
  readonly minBodyRate?: number | undefined;
  /**
   * Bytes a second that a client must take of a response while more of it waits, measured over at least 5 s; 0 is no limit.
   * @defaultValue 100
   */
  readonly minAnswerRate?: number | undefined;
  /** The limit of bytes of a request head; above it the response is 431. At most 512 KiB. @defaultValue 16384 */
  readonly maxHeaderSize?: number | undefined;
  /** The limit of headers of a request; above it the response is 431. @defaultValue 4096 */
  readonly maxHeadersCount?: number | undefined;
  /** The limit of bytes of the head of an agent's response; above it the response is 502. @defaultValue 65536 */
  readonly maxAnswerHeaderSize?: number | undefined;
  /** The limit of pipelined requests that wait on one connection; above it the connection closes after the last. @defaultValue 100 */
  readonly maxPipelined?: number | undefined;
  /**
   * The limit of connections from one address to the public port and the agents' port; further ones are closed. Connections of accepted agents do not
   * count. With `trustedHops` the connections come from the proxies, and are not limited. @defaultValue 1000
   */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** The limit of concurrent requests and TCP connections of one client address; above it the response is 429. @defaultValue 512 */
  readonly maxRequestsPerAddress?: number | undefined;
  /** The limit of sessions of one tenant's agents; further ones are refused with 503. @defaultValue 100 */
  readonly maxSessionsPerTenant?: number | undefined;
  /** The limit of concurrent requests and TCP connections of one tenant; above it the response is 503. @defaultValue 10000 */
  readonly maxRequestsPerTenant?: number | undefined;
  /**
   * Bytes by which the receive windows of all sessions of one tenant may grow together, beyond 256 KiB a stream. @defaultValue 67108864
   */
  readonly maxWindowGrowthPerTenant?: number | undefined;
  /**
   * WebSocket messages a second that the agents of one tenant may send, and as many at once. An empty message, a ping and a pong count as ten, ten Yamux
   * frames as one. Messages above the limit are read later. @defaultValue 100000
   */
  readonly maxMessagesPerTenant?: number | undefined;
  /** The limit of concurrent requests on one session, at most the limit of the agent's Yamux. @defaultValue 1000 */
  readonly maxStreamsPerSession?: number | undefined;
  /** The limit of new sessions a second of one tenant's agents, twice as many at once; further ones are refused with 503. @defaultValue 1000 */
  readonly maxDialsPerSecond?: number | undefined;
  /** The number of trusted proxies in front, whose X-Forwarded-* values are passed on. @defaultValue 0 */
  readonly trustedHops?: number | undefined;
  /** The same as `trustedHops: 1`. @defaultValue false */
  readonly trustForwarded?: boolean | undefined;
  /** ms for which a closing gateway still accepts connections, so that a load balancer can notice. @defaultValue 0 */
  readonly drainDelay?: number | undefined;
  /** ms after which open WebSockets are closed with 1001 on both sides when the gateway closes. @defaultValue 10000 */
  readonly webSocketDrain?: number | undefined;
  /** The number of agents' sessions that must have joined before the gateway is ready. @defaultValue 0 */
  readonly readySessions?: number | undefined;
  /** Called with every event: a name, and fields for a line of JSON. @defaultValue none */
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

/** @throws TypeError if the options are not an object, for an unknown option, or for a log that is not a function. */
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

/** @throws RangeError for a number out of its range. */
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
