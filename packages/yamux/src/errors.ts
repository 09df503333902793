// Every error of this package. Callers tell them apart by `code`, and read two more axes: how far it reaches (`scope`) and who
// began it (`origin`). Copies of a package exist side by side (ESM beside CommonJS), so nothing here relies on instanceof.

/** Every `code` of this package. What to do about each: docs/reference/error-codes.md. */
export type YamuxErrorCode =
  /** The peer broke the protocol and was told so by GoAway(1); the message names the frame. */
  | 'ERR_YAMUX_PROTOCOL'
  /** The peer reset the stream: what was received is not whole, unless the peer's FIN had come. With `refused` see there. */
  | 'ERR_YAMUX_STREAM_RESET'
  /** The peer sent data after its FIN: that stream was reset, the session lives. */
  | 'ERR_YAMUX_STREAM_PROTOCOL'
  /** A write was not sent because its stream was destroyed first; only in that write's callback. */
  | 'ERR_YAMUX_STREAM_DESTROYED'
  /** We had ended our side, and no byte moved for `halfCloseTimeout`. */
  | 'ERR_YAMUX_HALF_CLOSE_TIMEOUT'
  /** All 2^31 stream ids of this side are used up. */
  | 'ERR_YAMUX_STREAMS_EXHAUSTED'
  /** The peer takes no new streams (`goAwayCode` 0), or has ended the session (any other). */
  | 'ERR_YAMUX_GO_AWAY'
  /** The session was closed or destroyed here; `cause` is why, if it ended uncleanly. */
  | 'ERR_YAMUX_SESSION_CLOSED'
  /** The transport emitted an error, which is the `cause`. */
  | 'ERR_YAMUX_TRANSPORT_FAILED'
  /** The transport ended under live streams, inside a frame, or at close() before it had taken all that was sent. */
  | 'ERR_YAMUX_TRANSPORT_ENDED'
  /** A `ping()` was not answered within `keepAliveTimeout`; the session may live on. */
  | 'ERR_YAMUX_PING_TIMEOUT'
  /** A ping was not answered within `keepAliveTimeout`, and no other byte moved in either direction. */
  | 'ERR_YAMUX_KEEP_ALIVE_TIMEOUT'
  /** The transport took nothing for `writeTimeout`. */
  | 'ERR_YAMUX_WRITE_TIMEOUT'
  /** The peer made us queue 1 MiB of answers and took none. */
  | 'ERR_YAMUX_PEER_STALLED';

/** How far an error reaches: one stream, or the whole session with all its streams. */
export type ErrorScope = 'stream' | 'session';

/** Who began it: this end (a call, a timeout of ours) or the peer (a frame, or the end of the transport). */
export type ErrorOrigin = 'local' | 'remote';

export interface YamuxErrorOptions {
  readonly scope: ErrorScope;
  readonly origin: ErrorOrigin;
  readonly cause?: unknown;
  readonly goAwayCode?: number | undefined;
}

/** Base of all errors that this package makes. */
export class YamuxError extends Error {
  /** What happened. */
  readonly code: YamuxErrorCode;
  /** How far it reaches. */
  readonly scope: ErrorScope;
  /** Who began it. */
  readonly origin: ErrorOrigin;
  /** The code of the GoAway frame that ended the session, or that forbids new streams; undefined without one. */
  readonly goAwayCode: number | undefined;

  constructor(code: YamuxErrorCode, message: string, options: YamuxErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.scope = options.scope;
    this.origin = options.origin;
    this.goAwayCode = options.goAwayCode;
  }

  override get name(): string {
    return 'YamuxError';
  }
}

/** The peer broke the protocol: the session ends with GoAway(1). `code` is ERR_YAMUX_PROTOCOL. */
export class ProtocolError extends YamuxError {
  constructor(message: string) {
    super('ERR_YAMUX_PROTOCOL', message, { scope: 'session', origin: 'remote', goAwayCode: 1 });
  }

  override get name(): string {
    return 'ProtocolError';
  }
}

/** The peer reset the stream. `code` is ERR_YAMUX_STREAM_RESET. */
export class StreamResetError extends YamuxError {
  /** The RST's length field: go-yamux's extension for an application error code; 0 from peers that do not use it. */
  readonly errorCode: number;
  /**
   * True when the RST came before an ACK and before any other frame of that stream. With peers that acknowledge at hand-over (this
   * package, hashicorp/yamux, go-yamux) their application never saw the stream, so that trying again elsewhere is safe. With rust-yamux it proves
   * nothing: that acknowledges with its first frame back, and resets a stream that it has read with a bare RST.
   */
  readonly refused: boolean;

  constructor(streamId: number, errorCode: number, refused: boolean) {
    const how = refused ? 'refused by the peer before it was accepted' : 'reset by the peer';
    super(
      'ERR_YAMUX_STREAM_RESET',
      `Stream ${streamId} was ${how} (error code ${errorCode}); over TCP this is ECONNRESET`,
      {
        scope: 'stream',
        origin: 'remote',
      },
    );
    this.errorCode = errorCode;
    this.refused = refused;
  }

  override get name(): string {
    return 'StreamResetError';
  }
}

/**
 * The session is over, or takes no new streams: open one elsewhere. `code` tells why; where the session died of something, `cause`
 * has it.
 */
export class SessionClosedError extends YamuxError {
  constructor(code: YamuxErrorCode, message: string, options: Omit<YamuxErrorOptions, 'scope'>) {
    super(code, message, { ...options, scope: 'session' });
  }

  override get name(): string {
    return 'SessionClosedError';
  }
}

/** At the end of a message that tells of a time in milliseconds: who gives less than a second often means seconds. */
export function ifSecondsWereMeant(ms: number): string {
  return ms < 1000 ? `; if ${ms} seconds were meant, give ${ms * 1000}` : '';
}
