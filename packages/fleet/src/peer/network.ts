// How bytes get from one node to another: what the peer port and the links need of it.
import type { Duplex } from 'node:stream';
import type { NodeRecord } from '../directory/directory.ts';

/** A connection that a peer has made. */
export interface InboundConnection {
  /** Its bytes. */
  readonly socket: Duplex;
  /** Whether the peer has shown that it may use that name; always true where there are no certificates. */
  readonly mayBe: (name: string) => boolean;
}

/** Where a node is dialed. */
export interface PeerListener {
  /** As it is bound. */
  readonly port: number;
  /** Takes no more connections. */
  close(): Promise<void>;
}

/** The network of a fleet; TCP or TLS, but in tests. */
export interface PeerNetwork {
  /** Takes connections. */
  listen(accepted: (connection: InboundConnection) => void): Promise<PeerListener>;
  /** Connects to a node, and has checked its certificate where there are any. */
  dial(node: NodeRecord, signal: AbortSignal): Promise<Duplex>;
}
