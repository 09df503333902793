// The errors with which a session ends, or refuses what is asked of it.

import { ifSecondsWereMeant, SessionClosedError } from '../errors.ts';
import { GoAwayCode } from '../wire/constants.ts';

/** The error for a call on a session that is closed or closing; `cause` is the reason of an unclean end. */
export function sessionClosed(cause: Error | null): SessionClosedError {
  const message = cause
    ? `The session is closed: open a new one. It ended with: ${cause.message}`
    : 'The session is closed or closing: open a new one';
  return new SessionClosedError('ERR_YAMUX_SESSION_CLOSED', message, { origin: 'local', cause: cause ?? undefined });
}

export function sessionDestroyed(): SessionClosedError {
  const message = 'The session was destroyed at this end';
  return new SessionClosedError('ERR_YAMUX_SESSION_CLOSED', message, { origin: 'local' });
}

/** The error of streams that are still open when close() times out. */
export function closeTimedOut(timeout: number): SessionClosedError {
  const message = `The session was closed at this end, and the stream was still open after ${timeout} ms`;
  return new SessionClosedError('ERR_YAMUX_SESSION_CLOSED', message, { origin: 'local' });
}

/** The error of a session whose transport failed before it had taken all data of the streams. */
export function lostAtClose(): SessionClosedError {
  const message =
    'The transport closed before it had taken all that the streams of the session had sent: the end of it is lost';
  return new SessionClosedError('ERR_YAMUX_TRANSPORT_ENDED', message, { origin: 'remote' });
}

const WHY_GONE: Readonly<Record<number, string>> = {
  [GoAwayCode.ProtocolError]: 'it says that this end broke the protocol',
  [GoAwayCode.InternalError]: 'it had an internal error',
};

export function goneAway(code: number): SessionClosedError {
  const message =
    code === GoAwayCode.Normal
      ? 'The peer takes no new streams (GoAway 0): open them on another session'
      : `The peer ended the session (GoAway ${code}): ${WHY_GONE[code] ?? 'a reason unknown to Yamux'}`;
  return new SessionClosedError('ERR_YAMUX_GO_AWAY', message, { origin: 'remote', goAwayCode: code });
}

export function idsUsedUp(): SessionClosedError {
  const message = 'All stream ids of this session are used up: open a new session';
  return new SessionClosedError('ERR_YAMUX_STREAMS_EXHAUSTED', message, { origin: 'local' });
}

export function transportEndedInFrame(): SessionClosedError {
  return transportEnded('in the middle of a frame: what was received is not whole');
}

export function transportEndedUnder(streams: number): SessionClosedError {
  return transportEnded(
    `under ${streams} live ${streams === 1 ? 'stream' : 'streams'}: what was received may not be whole`,
  );
}

function transportEnded(where: string): SessionClosedError {
  return new SessionClosedError('ERR_YAMUX_TRANSPORT_ENDED', `The transport ended ${where}`, { origin: 'remote' });
}

export function transportFailed(cause: Error): SessionClosedError {
  const message = `The transport failed: ${cause.message}`;
  return new SessionClosedError('ERR_YAMUX_TRANSPORT_FAILED', message, { origin: 'remote', cause });
}

export function peerDied(timeout: number): SessionClosedError {
  const message = `The peer sent nothing for ${timeout} ms after a ping (keepAliveTimeout): it is taken for dead${ifSecondsWereMeant(timeout)}`;
  return new SessionClosedError('ERR_YAMUX_KEEP_ALIVE_TIMEOUT', message, { origin: 'remote' });
}

export function peerStalled(): SessionClosedError {
  const message = 'The peer asks for answers but takes none: more than 1 MiB of control frames is waiting';
  return new SessionClosedError('ERR_YAMUX_PEER_STALLED', message, { origin: 'remote' });
}

export function writeTimedOut(timeout: number): SessionClosedError {
  const message = `The transport took nothing for ${timeout} ms (writeTimeout)${ifSecondsWereMeant(timeout)}`;
  return new SessionClosedError('ERR_YAMUX_WRITE_TIMEOUT', message, { origin: 'remote' });
}
