// webSocketStream(): chooses the driver for a socket, and refuses a second byte stream over the same socket.
import { hasMethod, isObject, nameOf } from './arguments.ts';
import { WebSocketByteStream } from './byte-stream.ts';
import type { CloseFrame } from './close-codes.ts';
import { YamuxWebSocketError } from './errors.ts';
import type { MessageSocket } from './message-socket.ts';
import { resolveStreamOptions, type WebSocketStreamOptions } from './options.ts';
import { isWebSocket, WebSocketDriver, type WebSocketLike } from './web-socket.ts';
import { isWs, type WsLike, WsSocket } from './ws-socket.ts';

/**
 * A socket that can carry a byte stream: a WebSocket of the package `ws` (8 or later), a WHATWG WebSocket (Node's, undici's), or your own
 * driver.
 */
export type AnyWebSocket = WsLike | WebSocketLike | MessageSocket;

/** The mark is a property of the socket, not an entry of a WeakSet: the ESM and the CommonJS copy of this package must both see it. */
const IN_USE = Symbol.for('@zishuo/yamux-websocket.in-use');

/**
 * The bytes of a WebSocket as a Duplex. Call it before the socket's first message can come, or pause the socket until then. It resumes a
 * paused socket, and waits for a socket that is still connecting.
 *
 * Unlike `createWebSocketStream` of `ws`, it ends cleanly only if the socket closed cleanly, sends the small writes of one tick as one
 * message, and completes a write only when it is sent. Above `readPauseBytes` unread bytes it pauses the socket: until somebody reads, pings of
 * the peer are not answered and its close is not seen. A WHATWG socket cannot be paused: above `maxBufferedBytes` unread bytes the stream
 * errors.
 *
 * @throws {TypeError | RangeError} for a value that is not a socket, or an invalid option.
 * @throws {YamuxWebSocketError} `ERR_YAMUX_WEBSOCKET_IN_USE` if the socket carries a byte stream already.
 */
export function webSocketStream(socket: AnyWebSocket, options?: WebSocketStreamOptions): WebSocketByteStream {
  return openStream(socket, options);
}

/** Like `webSocketStream()`. `closeFrame` returns the close frame to send at the end. */
export function openStream(
  socket: AnyWebSocket,
  options: WebSocketStreamOptions | undefined,
  closeFrame?: () => CloseFrame,
): WebSocketByteStream {
  const resolved = resolveStreamOptions(options);
  const driver = driverOf(socket);
  if (resolved.wsPing > 0 && driver.ping === undefined) {
    throw new TypeError(
      'Expected a socket with ping() for wsPing, got one without; the keep-alive of a session works without it',
    );
  }
  if (IN_USE in socket) {
    const message =
      'The WebSocket already carries a byte stream or a session: make only one per socket, and open streams on that session';
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

/** Advice for values that are often passed by mistake. */
function adviceFor(value: unknown): string {
  if (typeof value === 'string' || value instanceof URL) return ': dial() connects to a URL';
  if (!isObject(value)) return '';
  if (hasMethod(value, 'then')) return ': await it';
  if (hasMethod(value, 'goAway')) return ': it is already a session';
  if (hasMethod(value, 'handleUpgrade')) return ": pass the socket of its 'connection' event";
  if (hasMethod(value, 'pipe') && hasMethod(value, 'write')) {
    return ': it is already a byte stream; pass it to client() or server() of @zishuo/yamux';
  }
  if (hasMethod(value, 'terminate')) return ': install ws 8.18 or later';
  return '';
}
