// The gateway: one port on which public requests come in and agents dial in by WebSocket, and a port for each TCP service. Puts the parts
// together and owns their life; what happens to a request is in public-request.ts.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WindowBudget } from '@zishuo/yamux';
import { acceptUpgrades, type UpgradeAcceptor, UpgradeRefusedError } from '@zishuo/yamux-websocket';
import { codeOf, describe } from '../errors.ts';
import type { Connection } from '../http/connection.ts';
import { answerError } from '../http/error-response.ts';
import { type UpgradeRequest, upgradeResponse } from '../http/upgrade-response.ts';
import { ignoresUpgrade, serveWithoutUpgrade } from '../http/without-upgrade.ts';
import type { Log } from '../log.ts';
import { checkTcpName } from '../tcp-service.ts';
import { type AgentClaims, checkSecret, verifyToken } from '../token.ts';
import { parseAffinity } from './affinity-key.ts';
import { type Balance, parseBalance } from './balance.ts';
import type { Certificate } from './certificate.ts';
import { type PublicRequestOptions, servePublicRequest } from './public-request.ts';
import { publicServer } from './public-server.ts';
import { Readiness } from './readiness.ts';
import { type AgentSession, Routes } from './routes.ts';
import type { ServedRequest } from './served.ts';
import { TcpListener, type TcpService } from './tcp-listener.ts';

export interface TunnelGatewayOptions {
  /** Signs and checks the agents' tokens; at least 16 characters. */
  readonly secret: string;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free one. */
  readonly port?: number | undefined;
  /** With one, the public port speaks TLS: https: for clients and wss: for agents. Default none. */
  readonly tls?: Certificate | undefined;
  /** Where agents dial in, on any host. Default /connect. */
  readonly agentPath?: string | undefined;
  /** Ports for raw TCP. Default none. */
  readonly tcp?: readonly TcpService[] | undefined;
  /** What keeps requests on one session: `header:<name>`, `cookie:<name>`, `ip` or `none`. Default none. */
  readonly affinity?: string | undefined;
  /** How all other requests are spread: `least-conn`, `weighted`, `round-robin` or `random`. Default least-conn. */
  readonly balance?: string | undefined;
  /** Milliseconds to open a stream, all tries together. Default 10,000. */
  readonly openTimeout?: number | undefined;
  /** Milliseconds without a byte moving, either way, before an exchange is given up. Default 60,000; 0 is no limit. */
  readonly idleTimeout?: number | undefined;
  /** The same for WebSockets, other upgrades and raw TCP. Default 600,000. */
  readonly joinedIdleTimeout?: number | undefined;
  /** Milliseconds for the head of a request, and for a TLS handshake. Default 15,000. */
  readonly headersTimeout?: number | undefined;
  /** Bytes of the head of a request; a larger one is answered 431. Default 16,384. */
  readonly maxHeaderSize?: number | undefined;
  /** Sessions that the agents of one tenant may hold; one more is refused with 503. Default 100. */
  readonly maxSessionsPerTenant?: number | undefined;
  /** Requests that run on one session at a time. Default 1000, which is what an agent's Yamux allows. */
  readonly maxStreamsPerSession?: number | undefined;
  /** Whether a proxy that we trust stands in front, so that its X-Forwarded-* go on. Default false. */
  readonly trustForwarded?: boolean | undefined;
  /**
   * Milliseconds for which a gateway that closes still takes connections: so long whoever stands in front may take to notice. Default 0.
   */
  readonly drainDelay?: number | undefined;
  /** Agents' sessions that must have joined before the gateway says that it is ready. Default 0. */
  readonly readySessions?: number | undefined;
  readonly log: Log;
}

/** For whoever counts or shows. Listeners must not throw. What becomes of a session later, its pool tells. */
export interface TunnelGatewayEvents {
  joined: [session: AgentSession];
  /** An agent, at its upgrade. */
  refused: [status: number, why: string];
  draining: [];
  /** A request or TCP connection is over; once for each. */
  served: [request: ServedRequest];
}

/** Milliseconds after which an agent that came while we drain may ask again: by then another gateway may have our place. */
const AGENT_RETRY_AFTER = 1_000;
/** Bytes by which all receive windows together may grow, however many sessions and streams there are. */
const WINDOW_BUDGET = 64 * 1024 * 1024;

export class TunnelGateway extends EventEmitter<TunnelGatewayEvents> {
  readonly readiness: Readiness;
  readonly routes: Routes;
  /** As it was given. */
  readonly agentPath: string;
  readonly affinity: string;
  readonly balance: Balance;
  readonly #server: Server;
  readonly #cut: () => void;
  readonly #tcp = new Map<TcpListener, number>();
  #url = '';
  // Kept, as the URL is: whoever watches asks for them while the gateway closes, too.
  readonly #tcpPorts = new Map<string, number>();
  readonly #agents: UpgradeAcceptor;
  readonly #running = new Map<ServerResponse, Promise<void>>();
  readonly #context: PublicRequestOptions;
  readonly #log: Log;
  readonly #drainDelay: number;
  #closing: Promise<void> | undefined;

  static async listen(options: TunnelGatewayOptions): Promise<TunnelGateway> {
    const gateway = new TunnelGateway(options);
    const host = options.host ?? '127.0.0.1';
    try {
      const { address, port, family } = await listening(gateway.#server, options.port ?? 0, host);
      gateway.#url = `${options.tls === undefined ? 'http' : 'https'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
      for (const [tcp, wanted] of gateway.#tcp) {
        gateway.#tcpPorts.set(tcp.name, (await listening(tcp.server, wanted, host)).port);
      }
    } catch (error) {
      await gateway.close(0); // one port is in use: let go of the others
      throw error;
    }
    return gateway;
  }

  private constructor(options: TunnelGatewayOptions) {
    const { secret, log, agentPath = '/connect', maxSessionsPerTenant = 100, maxStreamsPerSession = 1000 } = options;
    super();
    checkSecret(secret);
    this.#log = log;
    this.readiness = new Readiness(options.readySessions ?? 0);
    this.#drainDelay = options.drainDelay ?? 0;
    this.agentPath = agentPath;
    this.affinity = options.affinity ?? 'none';
    this.balance = parseBalance(options.balance ?? 'least-conn');
    this.routes = new Routes(this.balance, maxStreamsPerSession);
    this.#context = {
      routes: this.routes,
      affinity: parseAffinity(this.affinity),
      openTimeout: options.openTimeout ?? 10_000,
      idleTimeout: options.idleTimeout ?? 60_000,
      joinedIdleTimeout: options.joinedIdleTimeout ?? 600_000,
      trustForwarded: options.trustForwarded ?? false,
      log,
      onServed: (request) => this.emit('served', request),
    };
    for (const { name, port } of options.tcp ?? []) {
      this.#tcp.set(new TcpListener(checkTcpName(name), this.#context), port);
    }
    const { server, cut } = publicServer({
      headersTimeout: options.headersTimeout ?? 15_000,
      maxHeaderSize: options.maxHeaderSize ?? 16_384,
      certificate: options.tls,
    });
    this.#server = server;
    this.#cut = cut;
    this.#server.on('request', (request, response) => this.#serve(request, response));
    // With this listener node:http leaves "100 Continue" to us, and we leave it to the origin.
    this.#server.on('checkContinue', (request, response) => this.#serve(request, response));
    this.#server.on('upgrade', (request, socket: Connection, head) => {
      if (request.url?.split('?', 1)[0] === agentPath) return; // the acceptor's, below
      if (ignoresUpgrade(request)) serveWithoutUpgrade(this.#server, request, socket, head);
      else this.#serve(request, upgradeResponse(request, { socket, head }), { socket, head });
    });
    this.#server.on('connect', (request, socket: Connection, head) => {
      const message = 'This is no proxy: CONNECT is not served';
      answerError(upgradeResponse(request, { socket, head }), { status: 405, code: 'ERR_TUNNEL_BAD_REQUEST', message });
    });

    this.#agents = acceptUpgrades<AgentClaims>(this.#server, {
      path: agentPath,
      authenticate: (request) => {
        const claims = authenticate(request, secret);
        if (this.routes.sessionsOf(claims.tenant) < maxSessionsPerTenant) return claims;
        const body = `tenant ${claims.tenant} has ${maxSessionsPerTenant} sessions already\n`;
        throw new UpgradeRefusedError(503, { headers: { 'retry-after': '30' }, body });
      },
      // Streams are opened by the gateway alone: whatever an agent asks for is refused.
      yamux: { acceptBacklog: 0, windowBudget: new WindowBudget(WINDOW_BUDGET) },
      onSession: (session, _request, claims) => {
        const joined = this.routes.join(claims, session);
        this.readiness.sessions(this.routes.sessions.size);
        log('agent connected', { agent: claims.agent, tenant: claims.tenant, routes: claims.routes });
        this.emit('joined', joined);
        session.on('error', () => {}); // a lost agent is no reason to end; the line below tells
        session.once('goAway', () => log('agent drains', { agent: claims.agent }));
        session.once('close', () => {
          this.readiness.sessions(this.routes.sessions.size);
          log('agent gone', { agent: claims.agent, error: session.errored?.message });
        });
      },
      retryAfter: AGENT_RETRY_AFTER,
      onRefused: (refusal) => {
        const why = describe(refusal.cause ?? refusal);
        log('agent refused', { status: refusal.status, error: why });
        this.emit('refused', refusal.status, why);
      },
    });
  }

  get url(): string {
    return this.#url;
  }

  /** By the names of the TCP services. */
  get tcpPorts(): ReadonlyMap<string, number> {
    return this.#tcpPorts;
  }

  /** What runs now. Upgrades are among the requests. */
  get running(): { readonly requests: number; readonly tcpConnections: number } {
    let tcpConnections = 0;
    for (const tcp of this.#tcp.keys()) tcpConnections += tcp.count;
    return { requests: this.#running.size, tcpConnections };
  }

  /** No new request for the agent's sessions until resume(); returns how many sessions it has. */
  drain(agent: string, reason: string): number {
    return this.routes.drain(agent, reason);
  }

  resume(agent: string): number {
    return this.routes.resume(agent);
  }

  /**
   * Takes no new agent and, after `drainDelay` or `timeout` ms, whichever is less, no new connection; serves what then runs for at most
   * `timeout` ms, then ends. Repeated calls share one promise.
   */
  close(timeout = 30_000): Promise<void> {
    this.#closing ??= this.#close(timeout);
    return this.#closing;
  }

  #serve(request: IncomingMessage, response: ServerResponse, upgrade?: UpgradeRequest): void {
    if (this.#closing !== undefined) response.shouldKeepAlive = false;
    const running = servePublicRequest(request, response, this.#context, upgrade);
    this.#running.set(
      response,
      running.finally(() => this.#running.delete(response)),
    );
  }

  async #close(timeout: number): Promise<void> {
    this.readiness.drain();
    this.emit('draining');
    this.#agents.drain();
    // Told at once, agents can dial elsewhere while the sessions that they have serve on. Nobody waits for an agent that is dying.
    for (const { session } of this.routes.sessions) void session.goAway();
    const delay = Math.min(this.#drainDelay, timeout); // who gives what runs no time, waits for nobody in front either
    if (delay > 0) await sleep(delay);
    const listeners = [...this.#tcp.keys()];
    const closed = [
      new Promise<void>((resolve) => this.#server.close(() => resolve())),
      ...listeners.map((tcp) => tcp.close()),
    ];
    for (const response of this.#running.keys()) response.shouldKeepAlive = false; // its client connects elsewhere next
    await this.#idle(timeout);
    this.#cut();
    for (const tcp of listeners) tcp.cut();
    await Promise.allSettled(Array.from(this.routes.sessions, ({ session }) => session.close({ timeout: 0 })));
    this.#agents.close();
    await Promise.all(closed);
    this.#log('gateway closed', {});
  }

  /** Resolves when no request runs, or at the deadline. */
  async #idle(timeout: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<'deadline'>((resolve) => {
      timer = setTimeout(resolve, timeout, 'deadline');
    });
    for (;;) {
      // A kept-alive connection may have brought a new request meanwhile: look again.
      const running = [...this.#running.values(), ...[...this.#tcp.keys()].flatMap((tcp) => [...tcp.running])];
      if (running.length === 0) break;
      if ((await Promise.race([Promise.all(running), deadline])) === 'deadline') break;
    }
    clearTimeout(timer);
  }
}

function listening(server: NetServer, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

function authenticate(request: IncomingMessage, secret: string): AgentClaims {
  const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined) throw new UpgradeRefusedError(401, { body: 'expected Authorization: Bearer <token>\n' });
  try {
    return verifyToken(token, secret, Date.now());
  } catch (error) {
    throw new UpgradeRefusedError(401, { body: `${codeOf(error, 'ERR_TUNNEL_TOKEN_MALFORMED')}\n`, cause: error });
  }
}
