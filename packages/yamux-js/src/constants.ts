// The numbers and the error texts of `yamux-js/lib/constants`. Their enums have the names by the numbers too, so these have.

/** Of the protocol. */
export const VERSION = 0;

/** Bytes of credit that each side of a stream begins with. */
export const initialStreamWindow = 262_144;

/** What a frame is. */
export const TYPES = {
  Data: 0,
  WindowUpdate: 1,
  Ping: 2,
  GoAway: 3,
  0: 'Data',
  1: 'WindowUpdate',
  2: 'Ping',
  3: 'GoAway',
} as const;

/** What a frame says besides. */
export const FLAGS = {
  SYN: 1,
  ACK: 2,
  FIN: 4,
  RST: 8,
  1: 'SYN',
  2: 'ACK',
  4: 'FIN',
  8: 'RST',
} as const;

/** The states of a stream there; a stream of this package has `readyState`. */
export const STREAM_STATES = {
  Init: 0,
  SYNSent: 1,
  SYNReceived: 2,
  Established: 3,
  LocalClose: 4,
  RemoteClose: 5,
  Closed: 6,
  Reset: 7,
  0: 'Init',
  1: 'SYNSent',
  2: 'SYNReceived',
  3: 'Established',
  4: 'LocalClose',
  5: 'RemoteClose',
  6: 'Closed',
  7: 'Reset',
} as const;

/** Why a session goes away. */
export const GO_AWAY_ERRORS = {
  goAwayNormal: 0,
  goAwayProtoErr: 1,
  goAwayInternalErr: 2,
  0: 'goAwayNormal',
  1: 'goAwayProtoErr',
  2: 'goAwayInternalErr',
} as const;

const TEXTS = {
  errInvalidVersion: 'invalid protocol version',
  errInvalidMsgType: 'invalid msg type',
  errSessionShutdown: 'session shutdown',
  errStreamsExhausted: 'streams exhausted',
  errDuplicateStream: 'duplicate stream initiated',
  errRecvWindowExceeded: 'recv window exceeded',
  errTimeout: 'i/o deadline reached',
  errStreamClosed: 'stream closed',
  errUnexpectedFlag: 'unexpected flag',
  errRemoteGoAway: 'remote end is not accepting connections',
  errConnectionReset: 'connection reset',
  errConnectionWriteTimeout: 'connection write timeout',
  errKeepAliveTimeout: 'keepalive timeout',
} as const;

/** The name of an error of yamux-js. */
export type ErrorName = keyof typeof TEXTS;

/** The errors of yamux-js. Compare messages: what a session emits is an error of its own, with its own stack and a `cause`. */
export const ERRORS: Readonly<Record<ErrorName, Error>> = Object.fromEntries(
  Object.entries(TEXTS).map(([name, text]) => [name, new Error(text)]),
) as Record<ErrorName, Error>;
