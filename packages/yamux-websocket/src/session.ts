// client() and server(): a Yamux session over a WebSocket, with the close code that tells the peer why the session ended.
import * as yamux from '@zishuo/yamux';
import { checkOptions, nameOf, quoted } from './arguments.ts';
import { type CloseFrame, closeFrameAfter, type SocketClose } from './close-codes.ts';
import { CARRIED_STREAM_OPTIONS, type WebSocketStreamOptions } from './options.ts';
import { type AnyWebSocket, openStream } from './stream.ts';
import { sessionStreamOptions } from './ws-options.ts';

/** Options of the byte stream below a session. `readPauseBytes` is not among them: a session never pauses its socket. */
export type CarriedStreamOptions = Omit<WebSocketStreamOptions, 'readPauseBytes'>;

/**
 * A Yamux session in the client role (odd stream ids, usually the end that dialed) over either end of a WebSocket. Call it before the first
 * message can come, or pause the socket until then.
 *
 * The close frame tells the peer why the session ended: 1000 after `close()`, 1002 after a violation by the peer. A session that is
 * destroyed, or ends with a timeout, terminates the WebSocket.
 *
 * @throws {TypeError | RangeError} for a value that is not a socket, or an invalid option.
 * @throws {YamuxWebSocketError} `ERR_YAMUX_WEBSOCKET_IN_USE` if the socket carries a byte stream already.
 */
export function client(
  socket: AnyWebSocket,
  yamuxOptions?: yamux.SessionOptions,
  options?: CarriedStreamOptions,
): yamux.YamuxSession {
  return sessionOver(socket, 'client', yamuxOptions, options);
}

/** A Yamux session in the server role (even stream ids). See {@link client}. */
export function server(
  socket: AnyWebSocket,
  yamuxOptions?: yamux.SessionOptions,
  options?: CarriedStreamOptions,
): yamux.YamuxSession {
  return sessionOver(socket, 'server', yamuxOptions, options);
}

/** `cleanCloseFrame` returns the close frame for a session that ends cleanly. */
export function sessionOver(
  socket: AnyWebSocket,
  role: yamux.Role,
  yamuxOptions: yamux.SessionOptions | undefined,
  options: CarriedStreamOptions | undefined,
  cleanCloseFrame?: () => CloseFrame,
): yamux.YamuxSession {
  checkOptions('the stream of a session', options, CARRIED_STREAM_OPTIONS);
  let session: yamux.YamuxSession | undefined;
  const closeFrame = (): CloseFrame => closeFrameAfter(session?.errored, cleanCloseFrame?.());
  const stream = openStream(
    socket,
    { ...sessionStreamOptions(yamuxOptions, options), readPauseBytes: Number.POSITIVE_INFINITY },
    closeFrame,
  );
  session = (role === 'client' ? yamux.client : yamux.server)(stream, yamuxOptions);
  Object.defineProperty(session, CLOSED, { value: stream.socketClosed });
  return session;
}

/** A property of every session over a WebSocket. All copies of this package share the symbol. */
const CLOSED = Symbol.for('@zishuo/yamux-websocket.closed');

/**
 * The close of the WebSocket below a session: its code, its reason, whether there was a closing handshake, and which end started it. Resolves
 * when the socket is closed, which may be after the session's `'close'` event; never rejects.
 *
 * @throws {TypeError} for a session that this package did not make.
 */
export function socketClosed(session: yamux.YamuxSession): Promise<SocketClose> {
  const closed = (session as { readonly [CLOSED]?: Promise<SocketClose> } | null | undefined)?.[CLOSED];
  if (closed === undefined) {
    const expected = 'Expected a session that client(), server(), dial() or acceptUpgrades() of this package made';
    throw new TypeError(`${expected}, got ${nameOf(session)}`);
  }
  return closed;
}

/** @throws {TypeError} */
export function checkRole(role: unknown): yamux.Role {
  if (role === 'client' || role === 'server') return role;
  throw new TypeError(`Expected role to be 'client' or 'server', got ${quoted(role)}`);
}
