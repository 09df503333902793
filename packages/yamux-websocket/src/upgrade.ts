// acceptUpgrades(): turns WebSocket upgrades of an HTTP server into sessions. The client is authenticated before the upgrade, so that a refusal
// is an HTTP response. The number of waiting upgrades and their wait are bounded.
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

/** The result of `acceptUpgrades()`. It does not own the sessions: the application gets them by `onSession`. */
export interface UpgradeAcceptor {
  /** How many upgrades wait for `authenticate`. */
  readonly pending: number;
  /** Whether `drain()` or `close()` was called. */
  readonly draining: boolean;
  /**
   * Refuses all waiting and new upgrades with 503 and Retry-After. Open sessions continue; one that ends cleanly after this closes its WebSocket
   * with 1001 (going away). Call `goAway()` on the sessions and wait until they end.
   */
  drain(): void;
  /** Calls `drain()` and removes the listener from the server. */
  close(): void;
}

/**
 * Turns the WebSocket upgrades that an HTTP server receives on `path` into sessions. Other paths are left to the server's other 'upgrade'
 * listeners. If there are none, a WebSocket upgrade gets 404, and a request for another protocol is served without the upgrade. If the package
 * `ws` is not installed, the server emits 'error' (`ERR_YAMUX_WEBSOCKET_WS_MISSING`).
 *
 * @throws {TypeError | RangeError} for an invalid option.
 */
export function acceptUpgrades<Identity>(server: HttpServer, options: UpgradeOptions<Identity>): UpgradeAcceptor {
  return new Acceptor(server, options);
}

/** A property of every listener of this package with its path. All copies of this package share the symbol. */
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
    // Report a missing `ws` at once, not at the first upgrade.
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
      if (this.#mustAnswer(pathOf(request))) this.#answerForeign(request, socket);
    } else if (!asksForWebSocket(request)) this.#refuse(request, socket, upgradeRequired());
    else if (this.#draining) this.#refuse(request, socket, this.#unavailable('draining'));
    else if (this.pending >= this.#maxPending) this.#refuse(request, socket, this.#unavailable('too many upgrades'));
    else void this.#accept(request, socket, head);
  };

  /** Whether this listener must answer a foreign path: all listeners are of this package, none has the path, and this one is the first. */
  #mustAnswer(path: string): boolean {
    const listeners = this.#server.listeners('upgrade') as readonly { readonly [PATH]?: string }[];
    return (
      listeners[0] === this.#onUpgrade && listeners.every((listener) => PATH in listener && listener[PATH] !== path)
    );
  }

  /** Refuses a WebSocket. A request for another protocol is served without the upgrade (RFC 9110 section 7.8). */
  #answerForeign(request: IncomingMessage, socket: Duplex): void {
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
      // It calls back synchronously, or never if it has refused a malformed handshake.
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
    // An error here comes from the application or from an invalid option of the session: do not keep the socket.
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

  /** Chooses only known subprotocols. A client may put a token in the list, and an echo would publish it. */
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

/** The options, unless they are made for each client. */
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
