// The events of a session.

import type { YamuxStream } from '../duplex/yamux-stream.ts';

/** The events of a session, with the arguments of their listeners. */
export interface SessionEvents {
  /** The peer opened a stream, and no accept() waited for it. */
  stream: [stream: YamuxStream];
  /** The peer accepts no new streams (code 0), or ends the session (any other code). */
  goAway: [code: number];
  /** The session ended uncleanly; 'close' follows. */
  error: [error: Error];
  /** The session has ended. Emitted after 'close' of every stream. */
  close: [];
}
