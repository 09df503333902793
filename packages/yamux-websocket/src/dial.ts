// dial(): connects with `ws` and opens a session over the WebSocket. If the server answers with a plain HTTP response, it becomes the error.
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { SecureContextOptions } from 'node:tls';
import { ifSecondsWereMeant, type Role, type SessionOptions, type YamuxSession } from '@zishuo/yamux';
import type { WebSocket } from 'ws';
import {
  checkBoolean,
  checkMilliseconds,
  checkOptions,
  checkOptionsObject,
  checkSignal,
  checkStrings,
  isObject,
  nameOf,
} from './arguments.ts';
import { describeFailure, describeRefusal } from './dial-failure.ts';
import { UpgradeRefusedError, wsMissing, YamuxWebSocketError } from './errors.ts';
import { maskGenerator } from './mask.ts';
import { CARRIED_STREAM_OPTIONS, type Carrier } from './options.ts';
import { type CarriedStreamOptions, checkRole, sessionOver } from './session.ts';
import { type RecommendedWsOptions, recommendedWsOptions } from './ws-options.ts';

/** Options passed to `new WebSocket()` of `ws`, in preference to `recommendedWsOptions()`. Options that are not named here are passed on too. */
export interface WsClientOptions extends SecureContextOptions {
  /** An agent that connects through a proxy: from `https-proxy-agent` and similar packages. */
  readonly agent?: Agent | undefined;
  readonly origin?: string | undefined;
  readonly family?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
  readonly followRedirects?: boolean | undefined;
  readonly [option: string]: unknown;
}

/** All times in milliseconds. */
export interface DialOptions {
  /**
   * The role of the Yamux session, not of the WebSocket.
   * @defaultValue 'client'
   */
  readonly role?: Role | undefined;
  /** The subprotocols to offer, in this order. If there are any, the server must choose one. */
  readonly subprotocols?: readonly string[] | undefined;
  /** Headers of the upgrade request, for example credentials. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Aborts the attempt. It has no effect on a session that is open. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The limit from the call to the open WebSocket; 0 turns it off.
   * @defaultValue 10000
   */
  readonly handshakeTimeout?: number | undefined;
  /**
   * Whether sent messages are masked with random keys, which costs work on every byte at both ends. If false, the key is all zeros: every peer
   * accepts it, and it leaves the bytes as they are. Masks protect caches between the two ends (RFC 6455 section 10.3), which cannot read
   * `wss:`. Over `ws:` set it to false only on loopback and private links.
   * @defaultValue true over `ws:`, false over `wss:`
   */
  readonly maskPayload?: boolean | undefined;
  /** Options of the session. */
  readonly yamux?: SessionOptions | undefined;
  /** Options of the byte stream below the session. */
  readonly stream?: CarriedStreamOptions | undefined;
  /** Options of the package `ws`. */
  readonly ws?: WsClientOptions | undefined;
}

/**
 * Connects to a `ws:` or `wss:` URL with the package `ws`, without compression, and opens a session over it.
 *
 * @throws {UpgradeRefusedError} `ERR_YAMUX_WEBSOCKET_REFUSED`: the server answered with `status`, `headers` and `body`.
 * @throws {YamuxWebSocketError} `ERR_YAMUX_WEBSOCKET_DIAL_FAILED`: no connection, or a wrong handshake (`cause`);
 * `ERR_YAMUX_WEBSOCKET_HANDSHAKE_TIMEOUT`; `ERR_YAMUX_WEBSOCKET_WS_MISSING`.
 * @throws the reason of `signal`; a SyntaxError, TypeError or RangeError for a bad URL or option.
 */
export async function dial(url: string | URL, options: DialOptions = {}): Promise<YamuxSession> {
  const recommended = checkDialOptions('dial()', options);
  const { role = 'client', subprotocols = [], headers = {}, signal, handshakeTimeout = 10_000 } = options;
  const { maskPayload, yamux, stream } = options;
  signal?.throwIfAborted();
  const { WebSocket } = await loadedWs();
  signal?.throwIfAborted();
  const ws: WebSocket = new WebSocket(url, [...subprotocols], {
    ...recommended,
    generateMask: maskGenerator(url, maskPayload, () => ws.url),
    ...options.ws,
    headers: { ...headers },
  });
  const carrier = await opened(ws, handshakeTimeout, signal);
  return sessionOver(ws, role, yamux, { carrier, ...stream });
}

let loading: Promise<typeof import('ws')> | undefined;

/** Keeps the promise: import() of a loaded module still calls the module loader. A failed import is tried again at the next call. */
function loadedWs(): Promise<typeof import('ws')> {
  loading ??= import('ws').catch((cause: unknown) => {
    loading = undefined;
    return wsMissing(cause);
  });
  return loading;
}

const DIAL_OPTIONS = Object.keys({
  role: true,
  subprotocols: true,
  headers: true,
  signal: true,
  handshakeTimeout: true,
  maskPayload: true,
  yamux: true,
  stream: true,
  ws: true,
} satisfies Record<keyof DialOptions, true>);

/**
 * Checks all options before a connection is made, and returns the options of `ws` that follow from them.
 *
 * @throws {TypeError | RangeError}
 */
export function checkDialOptions(owner: string, options: DialOptions | undefined): RecommendedWsOptions {
  checkOptions(owner, options, DIAL_OPTIONS);
  const { role, subprotocols, headers, signal, handshakeTimeout, maskPayload, yamux, stream, ws } = options ?? {};
  if (role !== undefined) checkRole(role);
  checkStrings('subprotocols', subprotocols);
  checkHeaders(headers);
  checkSignal('signal', signal);
  if (handshakeTimeout !== undefined) checkMilliseconds('handshakeTimeout', handshakeTimeout);
  checkBoolean('maskPayload', maskPayload);
  checkOptions('stream', stream, CARRIED_STREAM_OPTIONS);
  checkOptionsObject('ws', ws);
  if (ws !== undefined && 'headers' in ws) {
    throw new TypeError('Expected ws without headers: pass headers to dial()');
  }
  return recommendedWsOptions(yamux, stream);
}

/** Refuses a Headers or a Map: their entries are not properties, and would not be sent. */
function checkHeaders(headers: unknown): void {
  if (headers === undefined || (isObject(headers) && !(Symbol.iterator in headers))) return;
  const advice = isObject(headers) ? ': pass Object.fromEntries(headers)' : '';
  throw new TypeError(`Expected headers to be an object of names and values, got ${nameOf(headers)}${advice}`);
}

export function handshakeTimedOut(ms: number): YamuxWebSocketError {
  const message = `The server did not answer the upgrade within ${ms} ms (handshakeTimeout)${ifSecondsWereMeant(ms)}`;
  return new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_HANDSHAKE_TIMEOUT', message, { origin: 'local' });
}

/**
 * Resolves when the socket is open, and pauses it: bytes that came with the upgrade must not be lost, and must not fail the session before
 * the caller has it.
 */
function opened(ws: WebSocket, timeout: number, signal: AbortSignal | undefined): Promise<Carrier | undefined> {
  return new Promise((resolve, reject) => {
    let carrier: Carrier | undefined;
    let isSettled = false;
    let timedOut = (): Error => handshakeTimedOut(timeout);

    const settled = (): void => {
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      ws.off('upgrade', onUpgrade);
      ws.off('unexpected-response', onResponse);
      ws.off('open', onOpen);
      ws.off('error', onError);
    };
    const fail = (reason: unknown): void => {
      if (isSettled) return;
      settled();
      ws.on('error', ignore); // `ws` reports an aborted handshake as an error
      ws.terminate();
      reject(reason);
    };
    const onAbort = (): void => fail(signal?.reason);
    const onUpgrade = (response: IncomingMessage): void => {
      // undefined in Bun's `ws`
      carrier = (response.socket as Carrier | null) ?? undefined;
    };
    const onOpen = (): void => {
      settled();
      ws.pause();
      resolve(carrier);
    };
    const onError = (cause: Error): void => {
      const message = describeFailure(new URL(ws.url), cause);
      fail(new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_DIAL_FAILED', message, { origin: 'local', cause }));
    };
    const onResponse = (_request: ClientRequest, response: IncomingMessage): void => {
      const body = new BodyStart();
      const refusal = (): UpgradeRefusedError => {
        const { statusCode = 0, headers } = response;
        const message = describeRefusal(statusCode, headers, body.text);
        return new UpgradeRefusedError(statusCode, { headers, body: body.text, message });
      };
      timedOut = refusal;
      response.on('error', ignore);
      response.on('data', (chunk: Buffer) => {
        if (body.take(chunk)) fail(refusal());
      });
      response.once('close', () => fail(refusal()));
    };

    const timer = timeout === 0 ? undefined : setTimeout(() => fail(timedOut()), timeout);
    signal?.addEventListener('abort', onAbort);
    ws.on('upgrade', onUpgrade);
    ws.on('unexpected-response', onResponse);
    ws.on('open', onOpen);
    ws.on('error', onError);
  });
}

function ignore(): void {}

/** Collects the first 4 KiB of a response's body. */
class BodyStart {
  static readonly #LIMIT = 4096;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  /** Returns true when 4 KiB have come. */
  take(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    return this.#length >= BodyStart.#LIMIT;
  }

  get text(): string {
    const bytes = Buffer.concat(this.#chunks).subarray(0, BodyStart.#LIMIT);
    return new TextDecoder().decode(bytes, { stream: true }); // leaves out a character that was cut
  }
}
