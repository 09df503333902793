// The public exports.

import type { Duplex } from 'node:stream';
import type { SessionOptions } from './session/options.ts';
import { YamuxSession } from './session/session.ts';

export { type Clock, MAX_DELAY, systemClock } from './clock.ts';
export type { YamuxStream } from './duplex/yamux-stream.ts';
export {
  type ErrorOrigin,
  type ErrorScope,
  ifSecondsWereMeant,
  ProtocolError,
  SessionClosedError,
  StreamResetError,
  YamuxError,
  type YamuxErrorCode,
} from './errors.ts';
export { nearestName } from './nearest-name.ts';
export type { SessionEvents } from './session/events.ts';
export {
  type CloseOptions,
  checkSessionOptions,
  type OpenOptions,
  type SessionOptions,
  type WaitOptions,
} from './session/options.ts';
export type { YamuxSession } from './session/session.ts';
export type { SessionStats } from './session/stats.ts';
export type { Role } from './session/stream-table.ts';
export { LONGEST_CLOSE_TIMEOUT } from './session/transport.ts';
export { WindowBudget } from './stream/window-budget.ts';
export type { FrameMessage, SessionMessage, StreamMessage } from './trace.ts';
export { FrameType, GoAwayCode, INITIAL_WINDOW } from './wire/constants.ts';
export { describeFrame } from './wire/describe.ts';

/**
 * A session on the side that opens odd stream ids: usually the one that dialed. Takes over the transport: reads it at once, ends and
 * destroys it.
 *
 * @throws {TypeError | RangeError} for a transport that is not a Duplex of bytes, or for a bad option.
 */
export function client(transport: Duplex, options?: SessionOptions): YamuxSession {
  return new YamuxSession('client', transport, options);
}

/** A session on the side that opens even stream ids: usually the one that was dialed. See {@link client}. */
export function server(transport: Duplex, options?: SessionOptions): YamuxSession {
  return new YamuxSession('server', transport, options);
}
