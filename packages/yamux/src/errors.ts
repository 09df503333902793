// Every error of this package. Callers tell them apart by `code`, and read two more axes: how far it reaches (`scope`) and who
// began it (`origin`). Copies of a package exist side by side (ESM beside CommonJS), so nothing here relies on instanceof.

/** Each code is explained in docs/reference/error-codes.md. */
export type YamuxErrorCode =
  | 'ERR_YAMUX_PROTOCOL'
  | 'ERR_YAMUX_STREAM_RESET'
  | 'ERR_YAMUX_STREAM_PROTOCOL'
  | 'ERR_YAMUX_STREAM_DESTROYED'
  | 'ERR_YAMUX_HALF_CLOSE_TIMEOUT'
  | 'ERR_YAMUX_STREAMS_EXHAUSTED'
  | 'ERR_YAMUX_GO_AWAY'
  | 'ERR_YAMUX_SESSION_CLOSED'
  | 'ERR_YAMUX_TRANSPORT_FAILED'
  | 'ERR_YAMUX_TRANSPORT_ENDED'
  | 'ERR_YAMUX_PING_TIMEOUT'
  | 'ERR_YAMUX_KEEP_ALIVE_TIMEOUT'
  | 'ERR_YAMUX_WRITE_TIMEOUT'
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
  readonly code: YamuxErrorCode;
  readonly scope: ErrorScope;
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
   * package, hashicorp/yamux, go-yamux) their application never saw the stream, so that trying again elsewhere is safe.
   */
  readonly refused: boolean;

  constructor(streamId: number, errorCode: number, refused: boolean) {
    const how = refused ? 'refused by the peer before it was accepted' : 'reset by the peer';
    super('ERR_YAMUX_STREAM_RESET', `Stream ${streamId} was ${how} (error code ${errorCode})`, {
      scope: 'stream',
      origin: 'remote',
    });
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
