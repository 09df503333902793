import type { Duplex } from 'node:stream';
import type { SessionRef } from './member/session-ref.ts';
import type { PoolableSession, StreamOf } from './poolable-session.ts';

/** A stream and the session that serves it. */
export interface OpenedStream<
  Session extends PoolableSession = PoolableSession,
  Stream extends Duplex = StreamOf<Session>,
> {
  /** The session's own. */
  readonly stream: Stream;
  /** The handle that `add()` returned for the session. */
  readonly session: SessionRef<Session>;
}
