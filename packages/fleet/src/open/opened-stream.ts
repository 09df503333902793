// What an open of a fleet resolves with.
import type { Duplex } from 'node:stream';
import type { SessionRef } from '@zishuo/yamux-balancer';
import type { NodeRecord } from '../directory/directory.ts';
import type { SessionInfo } from '../peer/head.ts';

/** A stream, the node whose session serves it, and the session. */
export interface FleetStream {
  /** The session's own stream, or that of the link to another node. */
  readonly stream: Duplex;
  /** Whose session it is. */
  readonly node: NodeRecord;
  /** Who serves it; undefined while another node has not answered, which it has after an open with `acknowledged`. */
  readonly session: SessionInfo | undefined;
  /** The session, where it is of the own pool. */
  readonly ref: SessionRef | undefined;
}
