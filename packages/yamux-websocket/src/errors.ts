// Everything this package throws, rejects or destroys with. Tell errors apart by `code`: copies of the package may exist.
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';

/** Every `code` of this package. */
export type WebSocketErrorCode =
  /** The peer closed with a code that is no clean end (`closeCode`, `reason`), or what was written could not leave any more. */
  | 'ERR_YAMUX_WEBSOCKET_CLOSED'
  /** The connection ended without a close frame (1006): killed, reset, timed out. What arrived may be cut short anywhere. */
  | 'ERR_YAMUX_WEBSOCKET_LOST'
  /** `ws` reported an error of its own, see `cause`: a malformed frame of the peer, a handshake that failed. */
  | 'ERR_YAMUX_WEBSOCKET_FAILED'
  /** The peer sent a text message; answered with close code 1003. */
  | 'ERR_YAMUX_WEBSOCKET_TEXT_MESSAGE'
  /** The peer sent a message above the limit; answered with close code 1009. */
  | 'ERR_YAMUX_WEBSOCKET_MESSAGE_TOO_LARGE'
  /** The peer sent too many messages without a byte in a row; answered with close code 1008. */
  | 'ERR_YAMUX_WEBSOCKET_EMPTY_MESSAGES'
  /** Nothing came for `wsPing`, and nothing for as long again after a ping; the connection was terminated. */
  | 'ERR_YAMUX_WEBSOCKET_PING_TIMEOUT'
  /** Nothing could be sent for `writeTimeout`; the connection was terminated. */
  | 'ERR_YAMUX_WEBSOCKET_WRITE_TIMEOUT'
  /** More than `maxBufferedBytes` were waiting to be sent, or to be read where that cannot be paused; the connection was terminated. */
  | 'ERR_YAMUX_WEBSOCKET_BUFFER_FULL'
  /** The socket already carries a byte stream. */
  | 'ERR_YAMUX_WEBSOCKET_IN_USE'
  /** The server answered the upgrade with a plain HTTP response: {@link UpgradeRefusedError}. */
  | 'ERR_YAMUX_WEBSOCKET_REFUSED'
  /** The server could not be reached, or its handshake was wrong: see `cause`. */
  | 'ERR_YAMUX_WEBSOCKET_DIAL_FAILED'
  /** No WebSocket within `handshakeTimeout`. */
  | 'ERR_YAMUX_WEBSOCKET_HANDSHAKE_TIMEOUT'
  /** `dial()`, `keepConnected()` and `acceptUpgrades()` need the package `ws`, which is not installed. */
  | 'ERR_YAMUX_WEBSOCKET_WS_MISSING';

/** What is known of an error besides its code. */
export interface WebSocketErrorDetail {
  /**
   * Who began it.
   * @defaultValue 'remote'
   */
  readonly origin?: 'local' | 'remote' | undefined;
  /** The WebSocket close code, if there was one. */
  readonly closeCode?: number | undefined;
  /** The close reason that came. */
  readonly reason?: string | undefined;
  /** The error beneath. */
  readonly cause?: unknown;
}

/** A WebSocket that could not be used, or no longer can. */
export class YamuxWebSocketError extends Error {
  override readonly name: string = 'YamuxWebSocketError';
  /** What happened. */
  readonly code: WebSocketErrorCode;
  /** A WebSocket that is gone takes every stream over it along. */
  readonly scope = 'session';
  /** Who began it. */
  readonly origin: 'local' | 'remote';
  /** The WebSocket close code that came, or that was sent, if there was one. */
  readonly closeCode: number | undefined;
  /** The close reason that came. */
  readonly reason: string | undefined;

  constructor(code: WebSocketErrorCode, message: string, detail: WebSocketErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.origin = detail.origin ?? 'remote';
    this.closeCode = detail.closeCode;
    this.reason = detail.reason;
  }
}

/** The HTTP response of a refused upgrade, without its status. */
export interface Refusal {
  /** Names in lower case. */
  readonly headers?: Readonly<IncomingHttpHeaders> | undefined;
  /** Text; where the upgrade is refused, the status in words by default. */
  readonly body?: string | undefined;
  /** For `onRefused`; the client does not see it. */
  readonly cause?: unknown;
  /**
   * The error's message, for logs; the client does not see it.
   * @defaultValue the status in words
   */
  readonly message?: string | undefined;
}

/**
 * An upgrade answered by a plain HTTP response. The same class at both ends: `authenticate` of `acceptUpgrades()` throws
 * it to refuse, and `dial()` rejects with it.
 */
export class UpgradeRefusedError extends YamuxWebSocketError {
  override readonly name: string = 'UpgradeRefusedError';
  /** The HTTP status, 300 to 599. */
  readonly status: number;
  /** The response's headers, names in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** The response's body; `dial()` keeps the first 4 KiB. */
  readonly body: string;

  constructor(status: number, refusal: Refusal = {}) {
    super(
      'ERR_YAMUX_WEBSOCKET_REFUSED',
      refusal.message ?? `The upgrade was refused with HTTP status ${status}${inWords(status)}`,
      { cause: refusal.cause },
    );
    this.status = status;
    this.headers = refusal.headers ?? {};
    this.body = refusal.body ?? '';
  }
}

function inWords(status: number): string {
  const words = STATUS_CODES[status];
  return words === undefined ? '' : ` (${words})`;
}

/** For a failed import of `ws`. */
export function wsMissing(cause: unknown): never {
  // What esbuild makes of a CommonJS package within an ES module.
  const isBundled = /dynamic require/i.test(String(cause));
  const advice = isBundled ? 'a bundle that is an ES module must leave it external' : 'install it (npm install ws)';
  const message = `The package 'ws' could not be loaded: ${advice}`;
  throw new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_WS_MISSING', message, { origin: 'local', cause });
}
