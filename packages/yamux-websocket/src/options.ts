// The options of the byte stream: names, defaults and checks, in one place. A value out of range is refused, never clamped.
import { checkMilliseconds, checkNumber, checkOptions, hasMethod, isObject, nameOf } from './arguments.ts';
import type { MessageBudget } from './message-budget.ts';

/**
 * The connection below a WebSocket: a `net.Socket`, a `tls.TLSSocket`, or any Duplex that a WebSocket was upgraded from. On a server it is
 * `request.socket`. The stream takes its addresses, `ref()` and `unref()`, and corks it to send messages together.
 */
export interface Carrier {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly remoteFamily?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly localFamily?: string | undefined;
  ref?(): unknown;
  unref?(): unknown;
  /** Messages sent between `cork()` and `uncork()` leave in one system call. */
  cork?(): unknown;
  uncork?(): unknown;
}

/** Sizes in bytes, times in milliseconds. */
export interface WebSocketStreamOptions {
  /**
   * The largest message that is sent. A chunk that fits is never split.
   * @defaultValue 65536
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * The largest message that is accepted. A larger one ends the stream with close code 1009.
   * @defaultValue the session's maxStreamWindow (16 MiB) + 64 KiB
   */
  readonly maxInboundMessageBytes?: number | undefined;
  /**
   * A write completes only when the socket's `bufferedAmount` is at most this.
   * @defaultValue 1048576
   */
  readonly highWaterMark?: number | undefined;
  /**
   * The connection is terminated when more bytes than this wait to be sent, or are unread on a socket that cannot be paused.
   * @defaultValue 16777216
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * The socket is paused when more bytes than this are unread. A paused `ws` answers no ping and sees no close. `Infinity` never pauses:
   * `client()` and `server()` use that, because Yamux windows limit the unread bytes.
   * @defaultValue 262144
   */
  readonly readPauseBytes?: number | undefined;
  /**
   * The connection is terminated when the socket sends no byte for this long. 0 turns it off.
   * @defaultValue 30000
   */
  readonly writeTimeout?: number | undefined;
  /**
   * The connection is terminated when a closing handshake takes longer than this. Below a session, the same time is added for each 32 KiB sent
   * since the last pong, up to one minute: on a slow link those bytes arrive before the close frame.
   * @defaultValue 5000
   */
  readonly closeTimeout?: number | undefined;
  /**
   * Sends a WebSocket ping when nothing came for this long, and terminates the connection when nothing comes for the same time again. Use it for
   * byte streams without a Yamux session; a session has its own keep-alive. 0 turns it off.
   * @defaultValue 0
   */
  readonly wsPing?: number | undefined;
  /** Limits the rate of received messages, together with all other streams that have the same object. @defaultValue none: no limit */
  readonly messageBudget?: MessageBudget | undefined;
  /** The connection below the WebSocket. Gives the stream its addresses, `ref()` and `unref()`, and sends messages together. */
  readonly carrier?: Carrier | undefined;
}

export interface ResolvedStreamOptions {
  readonly maxMessageBytes: number;
  readonly maxInboundMessageBytes: number;
  readonly highWaterMark: number;
  readonly maxBufferedBytes: number;
  readonly readPauseBytes: number;
  readonly writeTimeout: number;
  readonly closeTimeout: number;
  readonly wsPing: number;
  readonly messageBudget: MessageBudget | undefined;
  readonly carrier: Carrier | undefined;
}

/** The default of a session's `maxStreamWindow`. */
const MAX_STREAM_WINDOW = 16 * 1024 * 1024;

/** Added to the largest payload: its header, and other frames in the same message. */
const MESSAGE_SLACK = 64 * 1024;

/** The largest message to expect below a session. A legal Yamux frame fits in the window, and Go peers may send a whole frame as one message. */
export function maxMessageFor(maxStreamWindow: number = MAX_STREAM_WINDOW): number {
  return maxStreamWindow + MESSAGE_SLACK;
}

interface NumberOption {
  readonly byDefault: number;
  readonly min: number;
  /** Without `max` the option is a time, in milliseconds. */
  readonly max?: number;
}

const NUMBERS: Readonly<Record<Exclude<keyof ResolvedStreamOptions, 'carrier' | 'messageBudget'>, NumberOption>> = {
  maxMessageBytes: { byDefault: 64 * 1024, min: 1, max: Number.POSITIVE_INFINITY },
  maxInboundMessageBytes: { byDefault: maxMessageFor(), min: 1, max: Number.POSITIVE_INFINITY },
  highWaterMark: { byDefault: 1024 * 1024, min: 0, max: Number.POSITIVE_INFINITY },
  maxBufferedBytes: { byDefault: 16 * 1024 * 1024, min: 1, max: Number.POSITIVE_INFINITY },
  readPauseBytes: { byDefault: 256 * 1024, min: 1, max: Number.POSITIVE_INFINITY },
  writeTimeout: { byDefault: 30_000, min: 0 },
  closeTimeout: { byDefault: 5_000, min: 1 },
  wsPing: { byDefault: 0, min: 0 },
};

const STREAM_OPTIONS: readonly string[] = [...Object.keys(NUMBERS), 'messageBudget', 'carrier'];

/** Without `readPauseBytes`: a stream below a session never pauses its socket. */
export const CARRIED_STREAM_OPTIONS: readonly string[] = STREAM_OPTIONS.filter((name) => name !== 'readPauseBytes');

/**
 * @throws {TypeError} for an unknown option, or one of the wrong type.
 * @throws {RangeError} for a number out of its range.
 */
export function resolveStreamOptions(options: WebSocketStreamOptions = {}): ResolvedStreamOptions {
  checkOptions('the byte stream', options, STREAM_OPTIONS);
  const resolved: Record<string, number> = {};
  for (const [name, { byDefault, min, max }] of Object.entries(NUMBERS) as [keyof typeof NUMBERS, NumberOption][]) {
    const value = options[name] ?? byDefault;
    resolved[name] = max === undefined ? checkMilliseconds(name, value, min) : checkNumber(name, value, min, max);
  }
  const { carrier, messageBudget } = options;
  if (messageBudget !== undefined && !(isObject(messageBudget) && hasMethod(messageBudget, 'take'))) {
    throw new TypeError(`Expected messageBudget to be a MessageBudget, got ${nameOf(messageBudget)}`);
  }
  if (carrier !== undefined && !isObject(carrier)) {
    throw new TypeError(`Expected carrier to be the socket below the WebSocket, got ${nameOf(carrier)}`);
  }
  return {
    ...(resolved as unknown as Omit<ResolvedStreamOptions, 'carrier' | 'messageBudget'>),
    messageBudget,
    carrier,
  };
}
