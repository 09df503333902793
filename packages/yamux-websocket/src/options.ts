// The options of the byte stream: names, defaults and checks, in one place. Nothing is silently clamped.

/**
 * The connection beneath a WebSocket, as far as it lends its looks: a `net.Socket`, a `tls.TLSSocket`, or any Duplex that a
 * WebSocket was upgraded from. `request.socket` on a server.
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
   * How long a closing handshake may take before the connection is terminated.
   * @defaultValue 5000
   */
  readonly closeTimeout?: number | undefined;
  /**
   * Pings of the WebSocket: one goes out when nothing came for so long, and the connection is terminated when nothing comes for as long
   * again. For byte streams without a Yamux session, whose keep-alive does this already. 0: none.
   * @defaultValue 0
   */
  readonly wsPing?: number | undefined;
  /** Gives the stream `remoteAddress` and its like, `ref()` and `unref()`. */
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
  readonly carrier: Carrier | undefined;
}

/** The largest window that a Yamux session grants unless it is told otherwise. */
const MAX_STREAM_WINDOW = 16 * 1024 * 1024;

/** Above what a frame holds: its header, and more frames in the same message. */
const MESSAGE_SLACK = 64 * 1024;

/** A legal Yamux frame never exceeds the window that was granted, and Go peers may send a whole frame as one message. */
export function maxMessageFor(maxStreamWindow: number = MAX_STREAM_WINDOW): number {
  return checkNumber('maxStreamWindow', maxStreamWindow, 1, Number.MAX_SAFE_INTEGER) + MESSAGE_SLACK;
}

/** Beyond this setTimeout() fires at once. */
export const MAX_DELAY: number = 2_147_483_647;

interface NumberOption {
  readonly byDefault: number;
  readonly min: number;
  readonly max: number;
}

const NUMBERS: Readonly<Record<Exclude<keyof ResolvedStreamOptions, 'carrier'>, NumberOption>> = {
  maxMessageBytes: { byDefault: 64 * 1024, min: 1, max: Number.POSITIVE_INFINITY },
  maxInboundMessageBytes: { byDefault: maxMessageFor(), min: 1, max: Number.POSITIVE_INFINITY },
  highWaterMark: { byDefault: 1024 * 1024, min: 0, max: Number.POSITIVE_INFINITY },
  maxBufferedBytes: { byDefault: 16 * 1024 * 1024, min: 1, max: Number.POSITIVE_INFINITY },
  readPauseBytes: { byDefault: 256 * 1024, min: 1, max: Number.POSITIVE_INFINITY },
  writeTimeout: { byDefault: 30_000, min: 0, max: MAX_DELAY },
  closeTimeout: { byDefault: 5_000, min: 1, max: MAX_DELAY },
  wsPing: { byDefault: 0, min: 0, max: MAX_DELAY },
};

/**
 * @throws {TypeError} for an unknown option, or one of the wrong type.
 * @throws {RangeError} for a number out of its range.
 */
export function resolveStreamOptions(options: WebSocketStreamOptions = {}): ResolvedStreamOptions {
  const { carrier, ...numbers } = options;
  const given = numbers as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!(name in NUMBERS)) {
      throw new TypeError(`Unknown option '${name}'; expected carrier or one of ${Object.keys(NUMBERS).join(', ')}`);
    }
  }
  const resolved: Record<string, number> = {};
  for (const [name, { byDefault, min, max }] of Object.entries(NUMBERS)) {
    resolved[name] = checkNumber(name, given[name] ?? byDefault, min, max);
  }
  return { ...(resolved as unknown as Omit<ResolvedStreamOptions, 'carrier'>), carrier };
}

/** @throws {TypeError | RangeError} */
export function checkNumber(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw new TypeError(`Expected ${name} to be a number, got ${typeof value}`);
  const isWhole = Number.isInteger(value) || value === max;
  if (!isWhole || value < min || value > max) {
    throw new RangeError(`Expected ${name} to be a whole number from ${min} to ${max}, got ${value}`);
  }
  return value;
}
