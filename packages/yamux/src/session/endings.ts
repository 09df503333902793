// The errors with which a session ends, or refuses what is asked of it.

import { SessionClosedError } from '../errors.ts';

/** Asked of a session that is over or closing; `cause` is why it ended, if that was unclean. */
export function sessionClosed(cause: Error | null): SessionClosedError {
  return new SessionClosedError('ERR_YAMUX_SESSION_CLOSED', 'The session is closed', {
    origin: 'local',
    cause: cause ?? undefined,
  });
}

export function sessionDestroyed(): SessionClosedError {
  return new SessionClosedError('ERR_YAMUX_SESSION_CLOSED', 'The session was destroyed', { origin: 'local' });
}

export function goneAway(code: number): SessionClosedError {
  const message = code === 0 ? 'The peer takes no new streams' : `The peer ended the session with GoAway code ${code}`;
  return new SessionClosedError('ERR_YAMUX_GO_AWAY', message, { origin: 'remote', goAwayCode: code });
}

export function idsUsedUp(): SessionClosedError {
  const message = 'All stream ids of this session are used up: open a new session';
  return new SessionClosedError('ERR_YAMUX_STREAMS_EXHAUSTED', message, { origin: 'local' });
}

export function transportEnded(where: string): SessionClosedError {
  return new SessionClosedError('ERR_YAMUX_TRANSPORT_ENDED', `The transport ended ${where}`, { origin: 'remote' });
}

export function transportFailed(cause: Error): SessionClosedError {
  const message = `The transport failed: ${cause.message}`;
  return new SessionClosedError('ERR_YAMUX_TRANSPORT_FAILED', message, { origin: 'remote', cause });
}

export function peerDied(timeout: number): SessionClosedError {
  const message = `The peer did not answer a ping within ${timeout} ms, and sent nothing else meanwhile`;
  return new SessionClosedError('ERR_YAMUX_KEEP_ALIVE_TIMEOUT', message, { origin: 'remote' });
}

export function peerStalled(): SessionClosedError {
  const message = 'The peer asks for answers but takes none: more than 1 MiB of control frames is waiting';
  return new SessionClosedError('ERR_YAMUX_PEER_STALLED', message, { origin: 'remote' });
}

export function writeTimedOut(timeout: number): SessionClosedError {
  const message = `The transport took nothing for ${timeout} ms`;
  return new SessionClosedError('ERR_YAMUX_WRITE_TIMEOUT', message, { origin: 'remote' });
}
