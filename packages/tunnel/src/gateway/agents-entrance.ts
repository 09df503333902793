// The entrance for agents. It checks the token before the WebSocket handshake, and watches it during the session: a token that expires or is revoked
// ends the session.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { YamuxSession } from '@zishuo/yamux';
import { acceptUpgrades, type UpgradeAcceptor, UpgradeRefusedError } from '@zishuo/yamux-websocket';
import { codeOf, describe, TunnelError } from '../errors.ts';
import { EXCHANGE_HEADER, EXCHANGE_VERSION } from '../exchange/block.ts';
import type { Connection } from '../http/connection.ts';
import type { UpgradeRequest } from '../http/upgrade-response.ts';
import type { Log } from '../log.ts';
import type { AgentClaims } from '../token.ts';
import type { TokenKeys } from '../token-keys.ts';
import type { CountedConnections } from './counted-connections.ts';
import { FrameToll } from './frame-toll.ts';
import type { Revocations } from './revocations.ts';
import type { AgentSession, Routes } from './routes.ts';

export interface EntranceOptions {
  readonly path: string;
  readonly keys: TokenKeys;
  readonly revocations: Revocations;
  readonly routes: Routes;
  readonly connections: CountedConnections;
  readonly maxSessionsPerTenant: number;
  readonly log: Log;
  readonly onJoined: (session: AgentSession) => void;
  readonly onGone: () => void;
  readonly onRefused: (status: number, why: string) => void;
}

/** Milliseconds after which an agent that dialed during a drain may retry: another gateway may have replaced this one by then. */
const RETRY_AFTER = 1_000;
/** Milliseconds that requests may continue after the token of their session has expired. */
const LAST_REQUESTS = 10_000;
/** Milliseconds between two looks at the clock: it may be set, and a timer stands still while the machine sleeps. */
const CLOCK_LOOK = 10_000;
/** The limit of frames in one WebSocket message: each costs as much as a message. */
const MAX_FRAGMENTS = 128;
/** Milliseconds between two counts of the frames that came. */
const LOOK = 500;

export class AgentsEntrance {
  readonly #options: EntranceOptions;
  /** A server without a port: it gets its connections from the public port. */
  readonly #server: Server = createServer();
  readonly #acceptor: UpgradeAcceptor;
  readonly #looking: NodeJS.Timeout;
  /** Connections without an accepted agent: those in the handshake, and refused ones. */
  readonly #outside = new Set<Connection>();

  constructor(options: EntranceOptions) {
    const { tenants } = options.routes;
    this.#options = options;
    const toll = new FrameToll(tenants);
    this.#looking = setInterval(() => toll.take(options.routes.sessions), LOOK).unref();
    this.#server.on('error', (error) => options.log('agents cannot come in', { error: describe(error) }));
    this.#acceptor = acceptUpgrades<AgentClaims>(this.#server, {
      path: options.path,
      authenticate: (request) => this.#authenticate(request),
      maxPending: Number.POSITIVE_INFINITY, // connections are limited by address; one client could use up a common limit
      // Only the gateway opens streams. Streams of an agent are refused.
      yamux: ({ tenant }) => ({ acceptBacklog: 0, flushAt: 'turn', windowBudget: tenants.of(tenant).windowBudget }),
      stream: ({ tenant }) => ({ messageBudget: tenants.of(tenant).messageBudget }),
      ws: { maxFragments: MAX_FRAGMENTS },
      onSession: (session, request, claims) => {
        try {
          this.#join(session, request, claims);
        } catch (error) {
          // The last resort: an unexpected error ends this session only.
          options.log('unforeseen error', { error: describe(error), stack: (error as Error).stack });
          session.destroy();
        }
      },
      retryAfter: RETRY_AFTER,
      onRefused: (refusal) => this.#refused(refusal),
    });
    options.revocations.watch(
      () => this.#cutRevoked(),
      (error) => options.log('revocations not read', { error: describe(error) }),
    );
    options.keys.watch((error) => options.log('keys not read', { error: describe(error) }));
  }

  accept(request: IncomingMessage, { socket, head }: UpgradeRequest): void {
    this.#outside.add(socket);
    socket.once('close', () => this.#outside.delete(socket));
    this.#server.emit('upgrade', request, socket, head);
  }

  /** Refuses new connections. */
  drain(): void {
    this.#acceptor.drain();
  }

  close(): void {
    clearInterval(this.#looking);
    this.#acceptor.close();
    for (const socket of this.#outside) socket.destroy();
  }

  /** Ends sessions at once, with their requests; returns their number. */
  cut(isMeant: (session: AgentSession) => boolean, reason: string): number {
    const meant = [...this.#options.routes.sessions].filter(isMeant);
    for (const session of meant) this.#end(session, reason, 0);
    return meant.length;
  }

  async #authenticate(request: IncomingMessage): Promise<AgentClaims> {
    const { keys } = this.#options;
    const [, token] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined) throw new UpgradeRefusedError(401, { body: 'expected Authorization: Bearer <token>\n' });
    const claims = await keys.verify(token, Date.now()).catch((cause: unknown) => {
      const code = codeOf(cause, 'ERR_TUNNEL_TOKEN_MALFORMED');
      const status = code === 'ERR_TUNNEL_KEYS_UNAVAILABLE' ? 503 : 401;
      throw new UpgradeRefusedError(status, { body: `${code}\n`, cause });
    });
    const refusal = this.#refusalOf(claims);
    if (refusal !== undefined) throw refusal;
    if (!this.#options.routes.tenants.of(claims.tenant).dials.take(performance.now())) {
      throw new UpgradeRefusedError(503, { headers: { 'retry-after': '1' }, body: 'too many dials at a time\n' });
    }
    return claims;
  }

  #refusalOf(claims: AgentClaims): UpgradeRefusedError | undefined {
    const { revocations, routes, maxSessionsPerTenant } = this.#options;
    const revoked = revocations.reasonFor(claims);
    if (revoked !== undefined) return refusedFor('ERR_TUNNEL_TOKEN_REVOKED', revoked);
    if (routes.tenants.takenBy(claims) !== undefined)
      return refusedFor('ERR_TUNNEL_ROUTE_TAKEN', 'a route of the token is served by another tenant');
    if (!routes.tenants.isFull(claims.tenant)) return undefined;
    const body = `tenant ${ascii(claims.tenant)} has ${maxSessionsPerTenant} sessions already\n`;
    return new UpgradeRefusedError(503, { headers: { 'retry-after': '30' }, body });
  }

  #refused(refusal: UpgradeRefusedError): void {
    const why = describe(refusal.cause ?? refusal);
    this.#options.log('agent refused', { status: refusal.status, error: why });
    this.#options.onRefused(refusal.status, why);
  }

  #join(session: YamuxSession, request: IncomingMessage, claims: AgentClaims): void {
    const { routes, connections, log, onJoined, onGone } = this.#options;
    const { agent, tenant } = claims;
    session.on('error', () => {}); // a lost agent must not end the process; 'close' handles it
    // Agents that dialed at the same time may have taken the last places.
    const refusal = this.#refusalOf(claims);
    if (refusal !== undefined) {
      session.destroy();
      this.#refused(refusal);
      return;
    }
    connections.release(request.socket);
    this.#outside.delete(request.socket);
    const speaksBlocks = request.headers[EXCHANGE_HEADER] === EXCHANGE_VERSION;
    const joined = routes.join(claims, session, speaksBlocks);
    const expiry = this.#watchExpiry(joined);
    session.once('goAway', () => log('agent drains', { agent }));
    session.once('close', () => {
      clearTimeout(expiry());
      log('agent gone', { agent, error: session.errored?.message });
      onGone();
    });
    log('agent connected', { agent, tenant, routes: claims.routes, key: joined.ref.key });
    onJoined(joined);
  }

  /** Returns what tells the timer. */
  #watchExpiry(session: AgentSession): () => NodeJS.Timeout | undefined {
    let timer: NodeJS.Timeout | undefined;
    const look = (): void => {
      const left = session.claims.expires - Date.now();
      if (left <= 0) this.#end(session, 'its token has expired', LAST_REQUESTS);
      else timer = setTimeout(look, Math.min(left, CLOCK_LOOK)).unref();
    };
    look();
    return () => timer;
  }

  #cutRevoked(): void {
    const { revocations } = this.#options;
    this.cut(({ claims }) => revocations.reasonFor(claims) !== undefined, 'revoked');
  }

  #end({ claims, session, ref }: AgentSession, reason: string, timeout: number): void {
    this.#options.log('agent cut', { agent: claims.agent, key: ref.key, reason });
    if (!ref.removed) ref.drain(reason);
    session.close({ timeout }).catch(() => {}); // 'close' handles it
  }
}

function refusedFor(code: 'ERR_TUNNEL_TOKEN_REVOKED' | 'ERR_TUNNEL_ROUTE_TAKEN', why: string): UpgradeRefusedError {
  return new UpgradeRefusedError(403, { body: `${code}\n`, cause: new TunnelError(code, why) });
}

function ascii(text: string): string {
  return text.replace(/[^ -~]/g, '?');
}
