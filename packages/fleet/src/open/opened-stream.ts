// The result of an open of a fleet.
import type { Duplex } from 'node:stream';
import type { SessionRef } from '@zishuo/yamux-balancer';
import type { NodeRecord } from '../directory/directory.ts';
import type { SessionInfo } from '../peer/head.ts';

/** A stream, the node whose session serves it, and the session. */
export interface FleetStream {
  /** The stream of the session, or of the link to another node. */
  readonly stream: Duplex;
  /** The node of the session. */
  readonly node: NodeRecord;
  /** The session. Undefined until the other node has answered; after an open with `acknowledged` it has. */
  readonly session: SessionInfo | undefined;
  /** The session, if it belongs to the node's own pool. */
  readonly ref: SessionRef | undefined;
}
