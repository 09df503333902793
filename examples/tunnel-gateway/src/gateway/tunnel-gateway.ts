// The gateway: one port on which public requests come in and agents dial in by WebSocket. Puts the parts together and owns their
// life; what happens to a request is in public-request.ts.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { acceptUpgrades, type UpgradeAcceptor, UpgradeRefusedError } from '@zishuo/yamux-websocket';
import { codeOf, describe } from '../errors.ts';
import type { Log } from '../log.ts';
import { type AgentClaims, checkSecret, verifyToken } from '../token.ts';
import { servePublicRequest } from './public-request.ts';
import { Routes } from './routes.ts';

export interface TunnelGatewayOptions {
  /** Signs and checks the agents' tokens; at least 16 characters. */
  readonly secret: string;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free one. */
  readonly port?: number | undefined;
  /** Where agents dial in. Default /connect. */
  readonly agentPath?: string | undefined;
  /** Milliseconds to open a stream, all tries together. Default 10,000. */
  readonly openTimeout?: number | undefined;
  /** Milliseconds without a byte moving, either way, before an exchange is given up. Default 60,000. */
  readonly idleTimeout?: number | undefined;
  /** Whether a proxy that we trust stands in front, so that its X-Forwarded-* go on. Default false. */
  readonly trustForwarded?: boolean | undefined;
  readonly log: Log;
}

/** Longer than any proxy or client in front keeps an idle connection, so that they close it and no request meets a closing one. */
const KEEP_ALIVE_TIMEOUT = 75_000;
const HEADERS_TIMEOUT = 15_000;

export class TunnelGateway {
  readonly #server: Server;
  readonly #routes = new Routes();
  readonly #agents: UpgradeAcceptor;
  readonly #running = new Map<ServerResponse, Promise<void>>();
  readonly #log: Log;
  #closing: Promise<void> | undefined;

  static async listen(options: TunnelGatewayOptions): Promise<TunnelGateway> {
    const gateway = new TunnelGateway(options);
    const server = gateway.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port ?? 0, options.host ?? '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
    return gateway;
  }

  private constructor(options: TunnelGatewayOptions) {
    const { secret, log, openTimeout = 10_000, idleTimeout = 60_000, trustForwarded = false } = options;
    checkSecret(secret);
    this.#log = log;
    const context = { routes: this.#routes, openTimeout, idleTimeout, trustForwarded, log };
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      if (this.#closing !== undefined) response.shouldKeepAlive = false;
      const running = servePublicRequest(request, response, context).finally(() => this.#running.delete(response));
      this.#running.set(response, running);
    };
    this.#server = createServer({
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: 0, // a large upload takes as long as it takes; one that stops moving meets idleTimeout
    });
    this.#server.on('request', serve);
    // With this listener node:http leaves "100 Continue" to us, and we leave it to the origin.
    this.#server.on('checkContinue', serve);

    this.#agents = acceptUpgrades<AgentClaims>(this.#server, {
      path: options.agentPath ?? '/connect',
      authenticate: (request) => authenticate(request, secret),
      // Streams are opened by the gateway alone: whatever an agent asks for is refused.
      yamux: { acceptBacklog: 0 },
      onSession: (session, _request, claims) => {
        this.#routes.join(claims, session);
        log('agent connected', { agent: claims.agent, tenant: claims.tenant, hosts: claims.hosts });
        session.on('error', () => {}); // a lost agent is no reason to end; the line below tells
        session.once('goAway', () => log('agent drains', { agent: claims.agent }));
        session.once('close', () => log('agent gone', { agent: claims.agent, error: session.errored?.message }));
      },
      onRefused: (refusal) =>
        log('agent refused', { status: refusal.status, error: describe(refusal.cause ?? refusal) }),
    });
  }

  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** No new request for the agent's sessions until resume(); returns how many sessions it has. */
  drain(agent: string, reason: string): number {
    return this.#routes.drain(agent, reason);
  }

  resume(agent: string): number {
    return this.#routes.resume(agent);
  }

  /** Takes no new agent and no new connection, serves what runs for at most `timeout` ms, then ends. Repeated calls share one promise. */
  close(timeout = 30_000): Promise<void> {
    this.#closing ??= this.#close(timeout);
    return this.#closing;
  }

  async #close(timeout: number): Promise<void> {
    this.#agents.drain();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const response of this.#running.keys()) response.shouldKeepAlive = false; // its client connects elsewhere next
    // Told at once, agents can dial elsewhere while the sessions that they have serve on. Nobody waits for an agent that is dying.
    for (const session of this.#routes.sessions) void session.goAway();
    await this.#idle(timeout);
    this.#server.closeAllConnections();
    await Promise.allSettled(this.#routes.sessions.map((session) => session.close({ timeout: 0 })));
    this.#agents.close();
    await closed;
    this.#log('gateway closed', {});
  }

  /** Resolves when no request runs, or at the deadline. */
  async #idle(timeout: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<'deadline'>((resolve) => {
      timer = setTimeout(resolve, timeout, 'deadline');
    });
    while (this.#running.size > 0) {
      // A kept-alive connection may have brought a new request meanwhile: look again.
      if ((await Promise.race([Promise.all(this.#running.values()), deadline])) === 'deadline') break;
    }
    clearTimeout(timer);
  }
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
