// webSocketStream(): finds the driver for a socket, and refuses a second byte stream over one socket.
import { hasMethod, isObject, nameOf } from './arguments.ts';
import { WebSocketByteStream } from './byte-stream.ts';
import type { CloseFrame } from './close-codes.ts';
import { YamuxWebSocketError } from './errors.ts';
import type { MessageSocket } from './message-socket.ts';
import { resolveStreamOptions, type WebSocketStreamOptions } from './options.ts';
import { isWebSocket, WebSocketDriver, type WebSocketLike } from './web-socket.ts';
import { isWs, type WsLike, WsSocket } from './ws-socket.ts';

/**
 * What can carry a byte stream: a WebSocket of the package `ws` (8 or later), one of the WHATWG standard (Node's own, undici's), or a
 * driver of your own.
 */
export type AnyWebSocket = WsLike | WebSocketLike | MessageSocket;

/** On the socket itself, not in a WeakSet: the ESM and the CommonJS copy of this package must see each other's mark. */
const IN_USE = Symbol.for('@zishuo/yamux-websocket.in-use');

/**
 * The bytes of a WebSocket as a Duplex. Call it before the socket's first message can come, or pause the socket until then; a
 * paused socket is resumed, one that is still connecting is waited for.
 *
 * Unlike `createWebSocketStream` of `ws` it ends cleanly only if the socket did, sends the small writes of one tick as one
 * message, and waits for what it sends. Past `readPauseBytes` unread bytes it pauses the socket: then pings of the peer are not
 * answered and its close is not seen until somebody reads. A WHATWG socket cannot be paused: past `maxBufferedBytes` unread bytes the
 * stream errors.
 *
 * @throws {TypeError | RangeError} for something that is no socket, or a bad option.
 * @throws {YamuxWebSocketError} `ERR_YAMUX_WEBSOCKET_IN_USE` if the socket carries a byte stream already.
 */
export function webSocketStream(socket: AnyWebSocket, options?: WebSocketStreamOptions): WebSocketByteStream {
  return openStream(socket, options);
}

/** Like `webSocketStream()`; `closeFrame` gives the close frame at its end. */
export function openStream(
  socket: AnyWebSocket,
  options: WebSocketStreamOptions | undefined,
  closeFrame?: () => CloseFrame,
): WebSocketByteStream {
  const resolved = resolveStreamOptions(options);
  const driver = driverOf(socket);
  if (resolved.wsPing > 0 && driver.ping === undefined) {
    throw new TypeError(
      'Expected a socket with ping() for wsPing, got one that cannot; keep-alive pings of the session need none',
    );
  }
  if (IN_USE in socket) {
    const message =
      'The WebSocket carries a byte stream or a session already: make one of each socket, and open streams on that session';
    throw new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_IN_USE', message, { origin: 'local' });
  }
  Object.defineProperty(socket, IN_USE, { value: true });
  return new WebSocketByteStream(driver, resolved, closeFrame);
}

function driverOf(socket: unknown): MessageSocket {
  if (isObject(socket)) {
    if (hasMethod(socket, 'attach')) return socket as unknown as MessageSocket;
    if (isWs(socket)) return new WsSocket(socket);
    if (isWebSocket(socket)) return new WebSocketDriver(socket);
  }
  throw new TypeError(`Expected a WebSocket or a MessageSocket, got ${nameOf(socket)}${adviceFor(socket)}`);
}

/** For values that are often passed by mistake: what to do instead. */
function adviceFor(value: unknown): string {
  if (typeof value === 'string' || value instanceof URL) return ': dial() connects to a URL';
  if (!isObject(value)) return '';
  if (hasMethod(value, 'then')) return ': await it';
  if (hasMethod(value, 'goAway')) return ': it is a session already';
  if (hasMethod(value, 'handleUpgrade')) return ": pass the socket of its 'connection' event";
  if (hasMethod(value, 'pipe') && hasMethod(value, 'write')) {
    return ': it is a byte stream already, for client() and server() of @zishuo/yamux';
  }
  if (hasMethod(value, 'terminate')) return ': install ws 8.18 or later';
  return '';
}
