// The options of the byte stream: names, defaults and checks, in one place. Nothing is silently clamped.
import { checkMilliseconds, checkNumber, checkOptions, hasMethod, isObject, nameOf } from './arguments.ts';
import type { MessageBudget } from './message-budget.ts';

/**
 * The connection beneath a WebSocket, for its addresses, `ref()` and `unref()`, and to have messages leave together: a `net.Socket`, a
 * `tls.TLSSocket`, or any Duplex that a WebSocket was upgraded from. On a server it is `request.socket`.
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
  /** With `uncork()`: what is sent in between leaves in one system call. */
  cork?(): unknown;
  uncork?(): unknown;
}

/** Sizes in bytes, times in milliseconds. */
export interface WebSocketStreamOptions {
  /**
   * No message sent is larger. A chunk that fits is never split.
   * @defaultValue 65536
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * A larger message of the peer ends the stream, with close code 1009.
   * @defaultValue the session's maxStreamWindow (16 MiB) + 64 KiB
   */
  readonly maxInboundMessageBytes?: number | undefined;
  /**
   * A write completes only when the socket's `bufferedAmount` is down to this.
   * @defaultValue 1048576
   */
  readonly highWaterMark?: number | undefined;
  /**
   * More than this waiting to be sent terminates the connection, and more than this unread of a socket that cannot be paused.
   * @defaultValue 16777216
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * More than this unread pauses the socket. A paused `ws` answers no ping and sees no close. `Infinity` never pauses: that is what
   * `client()` and `server()` use, where Yamux windows bound what can arrive.
   * @defaultValue 262144
   */
  readonly readPauseBytes?: number | undefined;
  /**
   * Nothing could be sent for so long: the connection is terminated. 0 turns it off.
   * @defaultValue 30000
   */
  readonly writeTimeout?: number | undefined;
  /**
   * How long a closing handshake may take before the connection is terminated. Under a session as long again for each 32 KiB that were sent since
   * the last pong, a minute at most: over a slow link they come before the close frame.
   * @defaultValue 5000
   */
  readonly closeTimeout?: number | undefined;
  /**
   * Pings of the WebSocket: one goes out when nothing came for so long, and the connection is terminated when nothing comes for as long
   * again. For byte streams without a Yamux session, whose keep-alive does this already. 0: none.
   * @defaultValue 0
   */
  readonly wsPing?: number | undefined;
  /** How many messages may come, together with all other streams that are given the same object. @defaultValue none: no bound */
  readonly messageBudget?: MessageBudget | undefined;
  /** Gives the stream `remoteAddress` and the other addresses, `ref()` and `unref()`, and lets its messages leave together. */
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

/** The largest window that a Yamux session grants unless it is told otherwise. */
const MAX_STREAM_WINDOW = 16 * 1024 * 1024;

/** Room beyond the largest payload: its header, and other frames in the same message. */
const MESSAGE_SLACK = 64 * 1024;

/** A legal Yamux frame never exceeds the window that was granted, and Go peers may send a whole frame as one message. */
export function maxMessageFor(maxStreamWindow: number = MAX_STREAM_WINDOW): number {
  return maxStreamWindow + MESSAGE_SLACK;
}

interface NumberOption {
  readonly byDefault: number;
  readonly min: number;
  /** Without one it is a time, in milliseconds. */
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

/** A stream beneath a session never pauses its socket. */
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
    throw new TypeError(`Expected carrier to be the socket beneath the WebSocket, got ${nameOf(carrier)}`);
  }
  return {
    ...(resolved as unknown as Omit<ResolvedStreamOptions, 'carrier' | 'messageBudget'>),
    messageBudget,
    carrier,
  };
}
