// The admin port: liveness, readiness, metrics, and a dashboard with actions. It observes the gateway from outside, and changes only what an action
// asks for.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codeOf, describe, TunnelError } from '../errors.ts';
import type { TunnelGateway } from '../gateway/tunnel-gateway.ts';
import { answerError } from '../http/error-response.ts';
import { listening } from '../http/listening.ts';
import type { Log } from '../log.ts';
import { Access } from './access.ts';
import { act, actOnAll } from './actions.ts';
import { Activity } from './activity.ts';
import { explain } from './explanation.ts';
import { LiveFeed } from './live-feed.ts';
import { Metrics } from './metrics.ts';
import { Page } from './page.ts';
import { requestJson } from './request-json.ts';
import { takeSnapshot } from './snapshot.ts';
import { Traffic } from './traffic.ts';

export interface AdminServerOptions {
  readonly gateway: TunnelGateway;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free one. */
  readonly port?: number | undefined;
  /** The admin token: required for actions and, on an address that is not loopback, for everything except health. */
  readonly token: string;
  /** Told of what was refused and what was done. */
  readonly log?: Log | undefined;
}

const SAMPLE_INTERVAL = 1_000;
/** The limit of viewers: each holds a connection and one snapshot. */
const MAX_VIEWERS = 64;

export class AdminServer {
  readonly metrics: Metrics;
  readonly #gateway: TunnelGateway;
  readonly #page: Page;
  readonly #server: Server;
  readonly #traffic: Traffic;
  readonly #activity: Activity;
  readonly #feed: LiveFeed;
  readonly #sampling: NodeJS.Timeout;
  readonly #log: Log;
  #access!: Access;

  static async listen(options: AdminServerOptions): Promise<AdminServer> {
    const admin = new AdminServer(options, await Page.load());
    try {
      const { host = '127.0.0.1', port = 0 } = options;
      const onError = (error: Error): void => admin.#log('connection not taken', { error: describe(error) });
      const { address } = await listening(admin.#server, port, host, onError, true);
      admin.#access = new Access(options.token, address);
    } catch (error) {
      await admin.close();
      throw error;
    }
    return admin;
  }

  private constructor({ gateway, log = () => {} }: AdminServerOptions, page: Page) {
    this.#gateway = gateway;
    this.#log = log;
    this.#page = page;
    this.#traffic = new Traffic(gateway, performance.now());
    this.#activity = new Activity(gateway, () => this.#feed.changed());
    const source = { gateway, traffic: this.#traffic, activity: this.#activity, startedAt: Date.now() };
    this.#feed = new LiveFeed(() => takeSnapshot(source));
    this.metrics = new Metrics(gateway, this.#traffic);
    this.#sampling = setInterval(() => {
      this.#traffic.sample(performance.now());
      this.#feed.push();
    }, SAMPLE_INTERVAL).unref();
    this.#server = createServer((request, response) => {
      const from = request.socket.remoteAddress;
      this.#serve(request, response).catch((error: unknown) => {
        const code = codeOf(error, 'ERR_TUNNEL_FAILED');
        if (request.method === 'POST') log('admin refused', { code, url: request.url, from });
        answerFailure(response, error);
      });
    });
  }

  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/`;
  }

  /** Aborts the current exchange. */
  async close(): Promise<void> {
    clearInterval(this.#sampling);
    this.#feed.close();
    this.metrics.close();
    this.#activity.close();
    this.#traffic.close();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Rejects with what answerFailure() makes an answer of. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host } = request.headers;
    if (!this.#access.isOurHost(request)) {
      throw new TunnelError('ERR_TUNNEL_ADMIN_HOST', `this port answers for this machine alone, not for "${host}"`);
    }
    const { pathname, searchParams } = urlOf(request);
    const [, kind, key, action] = /^\/(session|agent|tenant)s\/([^/]+)\/([^/]+)$/.exec(pathname) ?? [];
    if (key !== undefined && action !== undefined) {
      need(request, 'POST');
      this.#need(this.#access.mayAct(request));
      const asked = await requestJson(request);
      const name = decoded(key);
      if (kind === 'session') {
        answerJson(response, { session: act(action, name, asked, this.#gateway, this.#activity) });
      } else {
        const all = kind === 'agent' ? 'agent' : 'tenant';
        answerJson(response, actOnAll(all, name, action, this.#gateway, this.#activity));
      }
      this.#log('admin acted', { action, [kind ?? '']: name });
      this.#feed.changed();
      return;
    }
    if (request.method !== 'HEAD' || pathname === '/events') need(request, 'GET'); // HEAD of an endless feed would have no end
    if (this.#page.has(pathname)) return this.#page.answer(pathname, response);
    switch (pathname) {
      case '/healthz':
        return answerJson(response, { status: 'alive' });
      case '/readyz': {
        const { state, reason } = this.#gateway.readiness;
        if (reason === undefined) return answerJson(response, { status: state });
        throw new TunnelError('ERR_TUNNEL_NOT_READY', `${state}: ${reason}`);
      }
      case '/metrics': {
        this.#need(this.#access.mayRead(request));
        const text = await this.metrics.registry.metrics();
        response.writeHead(200, { 'Content-Type': this.metrics.registry.contentType, 'Cache-Control': 'no-store' });
        response.end(text);
        return;
      }
      case '/events':
        this.#need(this.#access.mayRead(request));
        if (this.#feed.viewers >= MAX_VIEWERS) {
          throw new TunnelError('ERR_TUNNEL_ADMIN_FULL', `${MAX_VIEWERS} viewers are there already`);
        }
        return this.#feed.join(response);
      case '/explain': {
        this.#need(this.#access.mayRead(request));
        const path = searchParams.get('path') || '/';
        return answerJson(response, await explain(this.#gateway, searchParams.get('host') ?? '', path));
      }
      default:
        throw new TunnelError('ERR_TUNNEL_ADMIN_NOT_FOUND', 'there is nothing here');
    }
  }

  #need(isAllowed: boolean): void {
    if (!isAllowed) throw new TunnelError('ERR_TUNNEL_ADMIN_TOKEN', 'expected Authorization: Bearer <admin token>');
  }
}

function urlOf({ url = '' }: IncomingMessage): URL {
  const base = 'http://admin';
  if (url.startsWith('/') && URL.canParse(base + url)) return new URL(base + url);
  throw new TunnelError('ERR_TUNNEL_BAD_REQUEST', 'expected a path as the request target');
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    throw new TunnelError('ERR_TUNNEL_BAD_REQUEST', 'expected the key of a session, percent-encoded');
  }
}

function need({ method }: IncomingMessage, needed: 'GET' | 'POST'): void {
  if (method !== needed) throw new TunnelError('ERR_TUNNEL_ADMIN_METHOD', `expected ${needed}, got ${method}`);
}

function answerJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

const STATUS: ReadonlyMap<string, number> = new Map([
  ['ERR_TUNNEL_BAD_REQUEST', 400],
  ['ERR_TUNNEL_ADMIN_TOKEN', 401],
  ['ERR_TUNNEL_ADMIN_HOST', 403],
  ['ERR_TUNNEL_ADMIN_NOT_FOUND', 404],
  ['ERR_YAMUX_POOL_UNKNOWN_SESSION', 404],
  ['ERR_TUNNEL_ADMIN_METHOD', 405],
  ['ERR_TUNNEL_CANNOT_RESUME', 409],
  ['ERR_TUNNEL_NOT_READY', 503],
  ['ERR_TUNNEL_ADMIN_FULL', 503],
]);

function answerFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const code = codeOf(error, 'ERR_TUNNEL_FAILED');
  const status = STATUS.get(code) ?? 500;
  const message = status === 500 ? 'The admin port failed' : (error as Error).message;
  answerError(response, { status, code, message }, status === 401 ? ['WWW-Authenticate', 'Bearer'] : []);
}
