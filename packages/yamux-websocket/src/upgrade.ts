// acceptUpgrades(): WebSocket upgrades of an HTTP server become sessions. The client is authenticated before the upgrade, so that a refusal
// is an HTTP response. How many upgrades may wait for that, and how long, is bounded.
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Role, systemClock, type YamuxSession } from '@zishuo/yamux';
import type { WebSocket, WebSocketServer } from 'ws';
import { callApplication } from './application-callback.ts';
import { checkMilliseconds, checkNumber, hasMethod, isObject, nameOf } from './arguments.ts';
import { DRAINING, NORMAL } from './close-codes.ts';
import { UpgradeRefusedError, wsMissing } from './errors.ts';
import type { Carrier } from './options.ts';
import { refuseUpgrade, serveWithoutUpgrade, unavailable, upgradeRequired } from './refusal.ts';
import { checkRole, sessionOver } from './session.ts';
import { type ByIdentity, checkUpgradeOptions, type UpgradeOptions } from './upgrade-options.ts';
import { type RecommendedWsOptions, recommendedWsOptions } from './ws-options.ts';

/** What `acceptUpgrades()` returns. It does not own the sessions: `onSession` does. */
export interface UpgradeAcceptor {
  /** Upgrades that wait for `authenticate`. */
  readonly pending: number;
  /** `drain()` or `close()` was called. */
  readonly draining: boolean;
  /**
   * Refuses every upgrade from now on with 503 and Retry-After, those that wait included. Sessions go on; one that ends cleanly from
   * now on says 1001 (going away) to its peer. Say `goAway()` to them and wait.
   */
  drain(): void;
  /** `drain()`, and leaves the server. */
  close(): void;
}

/**
 * Makes sessions of the WebSocket upgrades that an HTTP server receives on `path`. Other paths are left to the server's other 'upgrade'
 * listeners; where none can take them they are answered with 404, or without the upgrade if it is not to a WebSocket. Where the package
 * `ws` is not installed, the server's 'error' tells (`ERR_YAMUX_WEBSOCKET_WS_MISSING`).
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export function acceptUpgrades<Identity>(server: HttpServer, options: UpgradeOptions<Identity>): UpgradeAcceptor {
  return new Acceptor(server, options);
}

/** On every listener of ours, whichever copy of this package it is from: its path. */
const PATH = Symbol.for('@zishuo/yamux-websocket.path');

class Acceptor<Identity> implements UpgradeAcceptor {
  readonly #server: HttpServer;
  readonly #options: UpgradeOptions<Identity>;
  readonly #role: Role;
  readonly #maxPending: number;
  readonly #pendingTimeout: number;
  readonly #retryAfter: number;
  readonly #handshakes: Promise<WebSocketServer>;
  readonly #waiting = new Set<AbortController>();
  #draining = false;

  constructor(server: HttpServer, options: UpgradeOptions<Identity>) {
    checkServer(server);
    checkUpgradeOptions(options);
    const { maxPending = 100, pendingTimeout = 10_000, retryAfter = 5_000, path } = options;
    const recommended = recommendedWsOptions(fixed(options.yamux), fixed(options.stream));
    this.#server = server;
    this.#options = options;
    this.#role = checkRole(options.role ?? 'server');
    this.#maxPending = checkNumber('maxPending', maxPending, 1, Number.POSITIVE_INFINITY);
    this.#pendingTimeout = checkMilliseconds('pendingTimeout', pendingTimeout, 1);
    this.#retryAfter = checkMilliseconds('retryAfter', retryAfter);
    this.#handshakes = this.#makeHandshakes(recommended);
    // Reported at once rather than at the first upgrade: without `ws` none can be accepted.
    this.#handshakes.catch((error: unknown) => server.emit('error', error));
    Object.assign(this.#onUpgrade, { [PATH]: path });
    server.on('upgrade', this.#onUpgrade);
  }

  get pending(): number {
    return this.#waiting.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  drain(): void {
    this.#draining = true;
    for (const controller of this.#waiting) controller.abort(this.#unavailable('draining'));
  }

  close(): void {
    this.drain();
    this.#server.off('upgrade', this.#onUpgrade);
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (pathOf(request) !== this.#options.path) {
      if (this.#isLastResort(pathOf(request))) this.#leave(request, socket);
    } else if (!asksForWebSocket(request)) this.#refuse(request, socket, upgradeRequired());
    else if (this.#draining) this.#refuse(request, socket, this.#unavailable('draining'));
    else if (this.pending >= this.#maxPending) this.#refuse(request, socket, this.#unavailable('too many upgrades'));
    else void this.#accept(request, socket, head);
  };

  /** Whether it falls to this listener to refuse a foreign path: all listeners are of our kind, none has the path, this is the first. */
  #isLastResort(path: string): boolean {
    const listeners = this.#server.listeners('upgrade') as readonly { readonly [PATH]?: string }[];
    return (
      listeners[0] === this.#onUpgrade && listeners.every((listener) => PATH in listener && listener[PATH] !== path)
    );
  }

  /** Nobody's upgrade. A WebSocket is refused; what asks for another protocol may as well be served without it (RFC 9110 section 7.8). */
  #leave(request: IncomingMessage, socket: Duplex): void {
    if (asksForWebSocket(request) || !serveWithoutUpgrade(this.#server, request, socket)) {
      this.#refuse(request, socket, new UpgradeRefusedError(404));
    }
  }

  async #accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const controller = new AbortController();
    const timer = systemClock.setTimeout(() => controller.abort(this.#unavailable('timed out')), this.#pendingTimeout);
    const onGone = (): void => controller.abort(new UpgradeRefusedError(499, { body: 'the client left' }));
    socket.on('error', ignore);
    socket.once('end', onGone);
    socket.once('close', onGone);
    this.#waiting.add(controller);
    let identity: Identity;
    let ws: WebSocket | undefined;
    try {
      identity = await this.#identify(request, controller.signal);
      const handshakes = await this.#handshakes;
      controller.signal.throwIfAborted();
      // Calls back at once, or not at all: then it has refused a malformed handshake.
      handshakes.handleUpgrade(request, socket, head, (upgraded) => {
        ws = upgraded;
      });
    } catch (error) {
      this.#refuse(request, socket, asRefusal(error));
      return;
    } finally {
      systemClock.clearTimeout(timer);
      socket.off('end', onGone);
      socket.off('close', onGone);
      this.#waiting.delete(controller);
    }
    if (ws === undefined) return;
    socket.off('error', ignore);
    this.#open(ws, request, socket, identity);
  }

  /** @throws {UpgradeRefusedError} or whatever `authenticate` throws. */
  async #identify(request: IncomingMessage, signal: AbortSignal): Promise<Identity> {
    const { authenticate, checkOrigin, subprotocols, requireSubprotocol = true } = this.#options;
    if (checkOrigin && !checkOrigin(request.headers.origin, request)) throw new UpgradeRefusedError(403);
    if (subprotocols && requireSubprotocol && this.#choose(offered(request)) === false) {
      throw new UpgradeRefusedError(400, { body: `Expected one of the subprotocols ${subprotocols.join(', ')}\n` });
    }
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const identity = await Promise.race([authenticate(request, signal), aborted]);
    if (!identity) throw new UpgradeRefusedError(401, { headers: { 'www-authenticate': 'Bearer' } });
    return identity;
  }

  #open(ws: WebSocket, request: IncomingMessage, socket: Duplex, identity: Identity): void {
    const { yamux, stream, onSession } = this.#options;
    let session: YamuxSession | undefined;
    // A failure here is the application's own, or a bad Yamux option: the socket does not stay.
    callApplication(
      () => {
        const yamuxOptions = typeof yamux === 'function' ? yamux(identity, request) : yamux;
        const streamOptions = typeof stream === 'function' ? stream(identity, request) : stream;
        session = sessionOver(ws, this.#role, yamuxOptions, { carrier: socket as Carrier, ...streamOptions }, () =>
          this.#draining ? DRAINING : NORMAL,
        );
        return onSession(session, request, identity);
      },
      () => {
        if (session === undefined) ws.terminate();
        else session.destroy();
      },
    );
  }

  async #makeHandshakes(recommended: RecommendedWsOptions): Promise<WebSocketServer> {
    const { WebSocketServer } = await import('ws').catch(wsMissing);
    const handshakes = new WebSocketServer({
      ...recommended,
      ...this.#options.ws,
      noServer: true,
      clientTracking: false,
      handleProtocols: (protocols) => this.#choose(protocols),
    });
    handshakes.on('wsClientError', (cause, socket, request) => {
      const headers = { 'sec-websocket-version': '13' };
      this.#refuse(request, socket, new UpgradeRefusedError(400, { headers, body: `${cause.message}\n` }));
    });
    return handshakes;
  }

  /** Never what the client happens to name first: that may be a token, and an echo would publish it. */
  #choose(protocols: ReadonlySet<string>): string | false {
    return this.#options.subprotocols?.find((protocol) => protocols.has(protocol)) ?? false;
  }

  #unavailable(why: string): UpgradeRefusedError {
    return unavailable(this.#retryAfter, `${why}\n`);
  }

  #refuse(request: IncomingMessage, socket: Duplex, refusal: UpgradeRefusedError): void {
    socket.on('error', ignore);
    refuseUpgrade(socket, refusal);
    const { onRefused } = this.#options;
    if (onRefused) callApplication(() => onRefused(refusal, request));
    else if (refusal.status >= 500 && refusal.cause instanceof Error) process.emitWarning(refusal.cause);
  }
}

/** @throws {TypeError} for anything that can never have an upgrade, as an Express application. */
function checkServer(server: unknown): void {
  const isServer = isObject(server) && ['on', 'off', 'emit', 'listeners'].every((method) => hasMethod(server, method));
  if (isServer && !hasMethod(server, 'handleUpgrade')) return;
  const advice = typeof server === 'function' ? ': pass createServer(app)' : '';
  throw new TypeError(`Expected the http.Server that has the upgrades, got ${nameOf(server)}${advice}`);
}

/** What is known before anybody comes. */
function fixed<Options extends object>(options: Options | ByIdentity<never, Options> | undefined): Options | undefined {
  return typeof options === 'function' ? undefined : options;
}

function ignore(): void {}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return (headers.upgrade ?? '').split(',').some((protocol) => protocol.trim().toLowerCase() === 'websocket');
}

function offered(request: IncomingMessage): ReadonlySet<string> {
  const header = request.headers['sec-websocket-protocol'] ?? '';
  return new Set(header.split(',').map((protocol) => protocol.trim()));
}

function asRefusal(error: unknown): UpgradeRefusedError {
  const isRefusal = (error as { readonly code?: unknown } | null)?.code === 'ERR_YAMUX_WEBSOCKET_REFUSED';
  return isRefusal ? (error as UpgradeRefusedError) : new UpgradeRefusedError(500, { cause: error });
}
