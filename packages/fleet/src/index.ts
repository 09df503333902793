// The public exports, without logic.

export type { Choose } from './choosing/choice.ts';
export type {
  Agent,
  Beat,
  DirectoryListener,
  Entry,
  NodeRecord,
  Placement,
  SessionDirectory,
} from './directory/directory.ts';
export { type MemoryDirectoryOptions, memoryDirectory } from './directory/memory.ts';
export { FleetError, type FleetErrorCode, type FleetErrorOptions } from './errors.ts';
export { Fleet } from './fleet.ts';
export type { FleetStream } from './open/opened-stream.ts';
export type { FleetCloseOptions, FleetOpenOptions, FleetOptions, Forwarded, PeerOptions } from './options.ts';
export type { OpenOwn, OwnOpenOptions, OwnStream } from './own-sessions.ts';
export type { SessionInfo } from './peer/head.ts';
export type { InboundConnection, PeerListener, PeerNetwork } from './peer/network.ts';
export { SESSION_LOST } from './peer/relay.ts';
export type { ListenAddress, PeerTls } from './peer/tcp-network.ts';
export type { FleetExplanation, FleetStats, NodeExplanation, NodeStatus } from './stats.ts';
