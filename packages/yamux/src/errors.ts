// Every error of this package. Callers distinguish them by `code`. Two more properties say what has failed (`scope`) and which side began it
// (`origin`). Two copies of a package (ESM and CommonJS) may be loaded together, so nothing here relies on instanceof.

/** Every `code` of this package. docs/reference/error-codes.md says what to do about each. */
export type YamuxErrorCode =
  /** The peer broke the protocol, and got GoAway(1). The message names the frame. */
  | 'ERR_YAMUX_PROTOCOL'
  /** The peer reset the stream: the input is incomplete, unless the peer's FIN had come. See also `refused`. */
  | 'ERR_YAMUX_STREAM_RESET'
  /** The peer sent data after its FIN: the stream was reset; the session continues. */
  | 'ERR_YAMUX_STREAM_PROTOCOL'
  /** A write was not sent because its stream was destroyed first; only in that write's callback. */
  | 'ERR_YAMUX_STREAM_DESTROYED'
  /** This side had ended, and no byte moved for `halfCloseTimeout`. */
  | 'ERR_YAMUX_HALF_CLOSE_TIMEOUT'
  /** All 2^31 stream ids of this side are used up. */
  | 'ERR_YAMUX_STREAMS_EXHAUSTED'
  /** The peer accepts no new streams (`goAwayCode` 0), or has ended the session (any other code). */
  | 'ERR_YAMUX_GO_AWAY'
  /** The session was closed or destroyed on this side; `cause` is the reason of an unclean end. */
  | 'ERR_YAMUX_SESSION_CLOSED'
  /** The transport emitted an error, which is the `cause`. */
  | 'ERR_YAMUX_TRANSPORT_FAILED'
  /** The transport ended while streams were live, inside a frame, or at close() before it had taken all data. */
  | 'ERR_YAMUX_TRANSPORT_ENDED'
  /** A `ping()` was not answered within `keepAliveTimeout`; the session may continue. */
  | 'ERR_YAMUX_PING_TIMEOUT'
  /** A ping was not answered within `keepAliveTimeout`, and no other byte moved in either direction. */
  | 'ERR_YAMUX_KEEP_ALIVE_TIMEOUT'
  /** The transport took nothing for `writeTimeout`. */
  | 'ERR_YAMUX_WRITE_TIMEOUT'
  /** 1 MiB of answers to the peer is queued, and the peer takes none. */
  | 'ERR_YAMUX_PEER_STALLED';

/** The scope of an error: one stream, or the session with all its streams. */
export type ErrorScope = 'stream' | 'session';

/** The side that began it: this side (a call, a timeout) or the peer (a frame, the end of the transport). */
export type ErrorOrigin = 'local' | 'remote';

export interface YamuxErrorOptions {
  readonly scope: ErrorScope;
  readonly origin: ErrorOrigin;
  readonly cause?: unknown;
  readonly goAwayCode?: number | undefined;
}

/** The base class of all errors of this package. */
export class YamuxError extends Error {
  /** The kind of the error. */
  readonly code: YamuxErrorCode;
  /** The scope of the error. */
  readonly scope: ErrorScope;
  /** The side that began it. */
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
   * True if the RST came before an ACK and before any other frame of that stream. This package, hashicorp/yamux and go-yamux acknowledge when
   * their application gets the stream: so it never saw this one, and a retry elsewhere is safe. With rust-yamux `refused` proves nothing: it
   * acknowledges with its first frame, and may reset a stream that it has read with a bare RST.
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
 * The session has ended, or accepts no new streams: open one elsewhere. `code` says why. If an error ended the session, it is the
 * `cause`.
 */
export class SessionClosedError extends YamuxError {
  constructor(code: YamuxErrorCode, message: string, options: Omit<YamuxErrorOptions, 'scope'>) {
    super(code, message, { ...options, scope: 'session' });
  }

  override get name(): string {
    return 'SessionClosedError';
  }
}

/** A hint at the end of a message about a time in milliseconds: a value below a second often means seconds. */
export function ifSecondsWereMeant(ms: number): string {
  return ms < 1000 ? `; if ${ms} seconds were meant, give ${ms * 1000}` : '';
}
