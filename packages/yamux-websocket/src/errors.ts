// Every error of this package. Compare errors by `code`, not by class: a program may have several copies of the package.
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';

/** Every `code` of this package. */
export type WebSocketErrorCode =
  /** The peer closed with a code that is not a clean end (`closeCode`, `reason`), or written bytes could no longer be sent. */
  | 'ERR_YAMUX_WEBSOCKET_CLOSED'
  /** The connection ended without a close frame (1006): killed, reset, timed out. The received bytes may be truncated anywhere. */
  | 'ERR_YAMUX_WEBSOCKET_LOST'
  /** `ws` reported an error, see `cause`: for example a malformed frame of the peer, or a failed handshake. */
  | 'ERR_YAMUX_WEBSOCKET_FAILED'
  /** The peer sent a text message. The stream closed with code 1003. */
  | 'ERR_YAMUX_WEBSOCKET_TEXT_MESSAGE'
  /** The peer sent a message above the limit. The stream closed with code 1009. */
  | 'ERR_YAMUX_WEBSOCKET_MESSAGE_TOO_LARGE'
  /** The peer sent too many empty messages in a row. The stream closed with code 1008. */
  | 'ERR_YAMUX_WEBSOCKET_EMPTY_MESSAGES'
  /** Nothing came for `wsPing`, nor for the same time after a ping. The connection was terminated. */
  | 'ERR_YAMUX_WEBSOCKET_PING_TIMEOUT'
  /** The socket sent no byte for `writeTimeout`. The connection was terminated. */
  | 'ERR_YAMUX_WEBSOCKET_WRITE_TIMEOUT'
  /** More than `maxBufferedBytes` waited to be sent, or to be read from a socket that cannot be paused. The connection was terminated. */
  | 'ERR_YAMUX_WEBSOCKET_BUFFER_FULL'
  /** The socket already carries a byte stream. */
  | 'ERR_YAMUX_WEBSOCKET_IN_USE'
  /** The server answered the upgrade with a plain HTTP response: {@link UpgradeRefusedError}. */
  | 'ERR_YAMUX_WEBSOCKET_REFUSED'
  /** The server could not be reached, or its handshake was wrong: see `cause`. */
  | 'ERR_YAMUX_WEBSOCKET_DIAL_FAILED'
  /** The WebSocket did not open within `handshakeTimeout`. */
  | 'ERR_YAMUX_WEBSOCKET_HANDSHAKE_TIMEOUT'
  /** `dial()`, `keepConnected()` and `acceptUpgrades()` need the package `ws`, which is not installed. */
  | 'ERR_YAMUX_WEBSOCKET_WS_MISSING';

/** The details of an error besides its code. */
export interface WebSocketErrorDetail {
  /**
   * Which end caused it.
   * @defaultValue 'remote'
   */
  readonly origin?: 'local' | 'remote' | undefined;
  /** The WebSocket close code, if there was one. */
  readonly closeCode?: number | undefined;
  /** The received close reason. */
  readonly reason?: string | undefined;
  /** The error that caused this one. */
  readonly cause?: unknown;
}

/** An error of a WebSocket that could not be opened, or can no longer be used. */
export class YamuxWebSocketError extends Error {
  override readonly name: string = 'YamuxWebSocketError';
  /** The kind of error. */
  readonly code: WebSocketErrorCode;
  /** Always `'session'`: when a WebSocket ends, every stream over it ends. */
  readonly scope = 'session';
  /** Which end caused it. */
  readonly origin: 'local' | 'remote';
  /** The WebSocket close code that was received or sent, if there was one. */
  readonly closeCode: number | undefined;
  /** The received close reason. */
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
  /** The body, as text. When a refusal is sent, the default is the name of the status. */
  readonly body?: string | undefined;
  /** The error behind the refusal, for `onRefused`; the client does not see it. */
  readonly cause?: unknown;
  /**
   * The message of the error, for logs; the client does not see it.
   * @defaultValue the name of the status
   */
  readonly message?: string | undefined;
}

/**
 * An upgrade that the server answered with a plain HTTP response. Both ends use this class: `authenticate` of `acceptUpgrades()` throws
 * it to refuse an upgrade, and `dial()` rejects with it.
 */
export class UpgradeRefusedError extends YamuxWebSocketError {
  override readonly name: string = 'UpgradeRefusedError';
  /** The HTTP status, 300 to 599. */
  readonly status: number;
  /** The headers of the response, names in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** The body of the response; `dial()` keeps the first 4 KiB. */
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

/** Throws the error for a failed import of `ws`. */
export function wsMissing(cause: unknown): never {
  // What esbuild makes of a CommonJS package within an ES module.
  const isBundled = /dynamic require/i.test(String(cause));
  const advice = isBundled ? 'a bundle that is an ES module must leave it external' : 'install it (npm install ws)';
  const message = `The package 'ws' could not be loaded: ${advice}`;
  throw new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_WS_MISSING', message, { origin: 'local', cause });
}
