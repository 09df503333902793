// The gateway: one port for public requests and for the WebSockets of agents, and a port for each TCP service. It connects the parts and owns their
// life. public-exchange.ts handles a request.
import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server as TlsServer } from 'node:tls';
import type { Fleet } from '@zishuo/yamux-fleet';
import { describe } from '../errors.ts';
import type { Joined } from '../http/connection.ts';
import { hostName } from '../http/host.ts';
import { listening } from '../http/listening.ts';
import type { Log } from '../log.ts';
import { checkTcpName } from '../tcp-service.ts';
import { TokenKeys } from '../token-keys.ts';
import { AddressLimits } from './address-limits.ts';
import { parseAffinity } from './affinity.ts';
import { AgentsEntrance } from './agents-entrance.ts';
import { AgentsPort } from './agents-port.ts';
import type { Balance } from './balance.ts';
import type { Certificate } from './certificate.ts';
import { CountedConnections } from './counted-connections.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { GatewayFleet } from './gateway-fleet.ts';
import {
  balanceOf,
  checkGatewayOptions,
  type GatewayNumbers,
  gatewayNumbers,
  type TunnelGatewayOptions,
} from './options.ts';
import { PublicPort } from './public-port.ts';
import { Readiness } from './readiness.ts';
import { Revocations } from './revocations.ts';
import { RouteOpener } from './route-opener.ts';
import { type AgentSession, Routes } from './routes.ts';
import type { ServedRequest } from './served.ts';
import { TcpListener } from './tcp-listener.ts';
import { Tenants } from './tenants.ts';

/** Observers for metrics and the dashboard. The pool reports later events of a session. */
export interface TunnelGatewayEvents {
  joined: [session: AgentSession];
  /** An agent, at its upgrade. */
  refused: [status: number, why: string];
  draining: [];
  /** A request or TCP connection has ended. Called once for each. */
  served: [request: ServedRequest];
}

/** A running gateway. */
export class TunnelGateway extends EventEmitter<TunnelGatewayEvents> {
  /** Whether requests should come here. */
  readonly readiness: Readiness;
  /** Who serves what. */
  readonly routes: Routes;
  /** As it was given. */
  readonly agentPath: string;
  /** As it was given. */
  readonly affinity: string;
  /** As it was given. */
  readonly balance: Balance;
  /** Who is refused, and how to add to them. */
  readonly revocations: Revocations;
  /** What clients may have at a time, by their address. */
  readonly limits: { readonly connections: AddressLimits; readonly requests: AddressLimits };
  /** The gateways that serve together with this one; undefined where there are none. */
  readonly fleet: Fleet | undefined;
  /** The route that takes a request, of all that are known here or in the fleet. */
  readonly find: ExchangeContext['find'];
  readonly #opener: RouteOpener;
  readonly #numbers: GatewayNumbers;
  readonly #port: PublicPort;
  readonly #agentsPort: AgentsPort | undefined;
  readonly #entrance: AgentsEntrance;
  readonly #tcp = new Map<TcpListener, number>();
  readonly #keys: TokenKeys;
  readonly #log: Log;
  #url = '';
  #agentUrl = '';
  // Kept, like the URL, because they are also read while the gateway closes.
  readonly #tcpPorts = new Map<string, number>();
  #closing: Promise<void> | undefined;

  /**
   * Resolves with a gateway that listens on all its ports.
   * @throws RangeError or TypeError for a wrong option; what node:net tells of a port that cannot be had, and then none is kept.
   */
  static async listen(options: TunnelGatewayOptions): Promise<TunnelGateway> {
    const gateway = new TunnelGateway(options);
    const host = options.host ?? '127.0.0.1';
    const scheme = options.tls === undefined ? 'http' : 'https';
    try {
      await gateway.fleet?.start();
      gateway.#url = urlOf(scheme, await gateway.#listening(gateway.#port.server, options.port ?? 0, host));
      gateway.#agentUrl = gateway.#url;
      if (gateway.#agentsPort !== undefined) {
        gateway.#agentUrl = urlOf(
          scheme,
          await gateway.#listening(gateway.#agentsPort.server, options.agentPort ?? 0, host),
        );
      }
      for (const [tcp, wanted] of gateway.#tcp) {
        gateway.#tcpPorts.set(tcp.name, (await gateway.#listening(tcp.server, wanted, host)).port);
      }
    } catch (error) {
      await gateway.close(0); // one port is in use: close the others
      throw error;
    }
    return gateway;
  }

  private constructor(options: TunnelGatewayOptions) {
    super();
    checkGatewayOptions(options);
    const { secret, log = () => {}, agentPath = '/connect' } = options;
    const numbers = gatewayNumbers(options);
    this.#numbers = numbers;
    this.#keys = options.keys ?? new TokenKeys({ secret });
    this.#log = log;
    this.revocations = options.revocations ?? new Revocations();
    this.readiness = new Readiness(numbers.readySessions);
    this.agentPath = agentPath;
    this.affinity = options.affinity ?? 'none';
    this.balance = balanceOf(options);
    this.routes = new Routes({ ...numbers, balance: this.balance, tenants: new Tenants(numbers) });
    const affinity = parseAffinity(this.affinity, secret ?? randomBytes(32).toString('base64url'));
    const requestsOf = new AddressLimits(numbers.maxRequestsPerAddress);
    // Behind proxies every connection comes from a proxy, not from the client.
    const isBehindProxies = numbers.trustedHops > 0;
    const connectionsOf = new AddressLimits(isBehindProxies ? Infinity : numbers.maxConnectionsPerAddress);
    const connections = new CountedConnections(connectionsOf);
    const fleet =
      options.fleet &&
      new GatewayFleet({
        options: options.fleet,
        routes: this.routes,
        maxAnswerHeaderSize: numbers.maxAnswerHeaderSize,
        meet: this.affinity === 'sticky' ? (agent) => affinity.joined(agent) : undefined,
      });
    this.fleet = fleet?.fleet;
    this.find = (host, path) => (fleet ?? this.routes).find(host, path);
    this.#opener = new RouteOpener({ ...numbers, routes: this.routes, fleet });
    const context: ExchangeContext = {
      ...numbers,
      routes: this.routes,
      opener: this.#opener,
      find: this.find,
      affinity,
      id: `tunnel-${randomBytes(4).toString('hex')}`,
      requestsOf,
      log,
      onServed: (request) => this.#tell('served', request),
    };
    for (const { name, port } of options.tcp ?? []) this.#tcp.set(new TcpListener(checkTcpName(name), context), port);
    this.#entrance = new AgentsEntrance({
      ...numbers,
      path: agentPath,
      keys: this.#keys,
      revocations: this.revocations,
      routes: this.routes,
      connections,
      log,
      onJoined: (session) => {
        affinity.joined(session.claims.agent);
        this.readiness.sessions(this.routes.sessions.size);
        this.#tell('joined', session);
      },
      onGone: () => this.readiness.sessions(this.routes.sessions.size),
      onRefused: (status, why) => this.#tell('refused', status, why),
    });
    const hasOwnPort = options.agentPort !== undefined;
    this.#port = new PublicPort({
      ...numbers,
      certificate: options.tls,
      context,
      connections,
      agents: hasOwnPort ? undefined : { path: agentPath, host: options.agentHost && hostName(options.agentHost) },
      acceptAgent: (request, upgrade) => this.#entrance.accept(request, upgrade),
      log,
    });
    if (hasOwnPort) {
      this.#agentsPort = new AgentsPort({ ...numbers, certificate: options.tls }, this.#entrance, connections);
    }
    this.limits = { connections: connectionsOf, requests: requestsOf };
  }

  /** Of the public port. */
  get url(): string {
    return this.#url;
  }

  /** Of the port where agents dial in: the public one, if they have none of their own. */
  get agentUrl(): string {
    return this.#agentUrl;
  }

  /** By the names of the TCP services. */
  get tcpPorts(): ReadonlyMap<string, number> {
    return this.#tcpPorts;
  }

  /** What runs now. Upgrades are among the requests. */
  get running(): { readonly requests: number; readonly tcpConnections: number } {
    let tcpConnections = 0;
    for (const tcp of this.#tcp.keys()) tcpConnections += tcp.count;
    return { requests: this.#port.count, tcpConnections };
  }

  /** No new request for the agent's sessions until resume(); returns how many sessions it has. */
  drain(agent: string, reason: string): number {
    return this.routes.drain(agent, reason);
  }

  /** Takes drain() back. */
  resume(agent: string): number {
    return this.routes.resume(agent);
  }

  /** Ends sessions at once, with their requests; returns their number. Their agents may come back, unless they are revoked. */
  cut(isMeant: (session: AgentSession) => boolean, reason: string): number {
    return this.#entrance.cut(isMeant, reason);
  }

  /**
   * Uses this certificate for new connections; existing connections keep theirs.
   * @throws TypeError if the gateway was not given one to begin with; what node:tls throws for one that it cannot use, and then the old one stays.
   */
  setCertificate({ cert, key }: Certificate): void {
    for (const server of [this.#port.server, this.#agentsPort?.server]) {
      if (server instanceof TlsServer) server.setSecureContext({ cert, key });
      else if (server !== undefined)
        throw new TypeError('expected a gateway with the option tls, got one that speaks plain HTTP');
    }
  }

  /**
   * Accepts no new agents and, after `drainDelay` or `timeout` ms, whichever is less, no new connections. Open requests may continue for at most
   * `timeout` ms, WebSockets for at most `webSocketDrain` ms of it. Then it ends. Repeated calls share one promise.
   */
  close(timeout = 30_000): Promise<void> {
    this.#closing ??= this.#close(timeout);
    return this.#closing;
  }

  async #close(timeout: number): Promise<void> {
    this.readiness.drain();
    this.#tell('draining');
    this.#entrance.drain();
    this.#opener.stopWaiting();
    // Other gateways now use this one only if no other can serve. Without a directory there is no need to wait for that.
    void this.fleet?.drain();
    // The agents are told at once, so they can dial elsewhere while their sessions here still serve. An agent that does not answer is not waited for.
    for (const { session } of this.routes.sessions) void session.goAway();
    const delay = Math.min(this.#numbers.drainDelay, timeout); // without time for open requests there is no delay for a load balancer either
    if (delay > 0) await sleep(delay);
    const listeners = [...this.#tcp.keys()];
    const closed = [this.#port.close(), ...listeners.map((tcp) => tcp.close())];
    if (this.#agentsPort !== undefined) closed.push(this.#agentsPort.close());
    const started = performance.now();
    await this.#idle(timeout);
    await this.fleet?.close({ timeout: Math.max(0, timeout - (performance.now() - started)) });
    this.#port.cut();
    for (const tcp of listeners) tcp.cut();
    await Promise.allSettled(Array.from(this.routes.sessions, ({ session }) => session.close({ timeout: 0 })));
    this.#entrance.close();
    this.routes.close();
    this.revocations.close();
    this.#keys.close();
    await Promise.all(closed);
    this.#log('gateway closed', {});
  }

  /** Resolves when nothing runs, or at the deadline. */
  async #idle(timeout: number): Promise<void> {
    // For a short timeout, half of it is reserved for the closing handshake.
    const sendAway = setTimeout(
      () => {
        for (const joined of this.#joined()) joined.sendAway();
      },
      Math.min(this.#numbers.webSocketDrain, timeout / 2),
    );
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeout);
    });
    const idle = Promise.all([this.#port.idle(), ...Array.from(this.#tcp.keys(), (tcp) => tcp.idle())]);
    await Promise.race([idle, deadline]);
    clearTimeout(sendAway);
    clearTimeout(timer);
  }

  *#joined(): Generator<Joined> {
    for (const { joined } of this.#port.running) if (joined !== undefined) yield joined;
  }

  /** An error of a listener must not affect an exchange. */
  #tell<Name extends keyof TunnelGatewayEvents>(name: Name, ...event: TunnelGatewayEvents[Name]): void {
    try {
      (this as EventEmitter).emit(name, ...event);
    } catch (error) {
      this.#log('a listener has thrown', { event: name, error: describe(error) });
    }
  }

  #listening(server: NetServer, port: number, host: string): Promise<AddressInfo> {
    return listening(server, port, host, (error) => this.#log('connection not taken', { error: describe(error) }));
  }
}

function urlOf(scheme: string, { address, port, family }: AddressInfo): string {
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
