// The network between nodes: the interface that the peer port and the links need.
import type { Duplex } from 'node:stream';
import type { NodeRecord } from '../directory/directory.ts';

/** A connection from a peer. */
export interface InboundConnection {
  /** The bytes of the connection. */
  readonly socket: Duplex;
  /** Whether the certificate of the peer is valid for this name; always true without certificates. */
  readonly mayBe: (name: string) => boolean;
}

/** The address to dial. */
export interface PeerListener {
  /** The bound address. */
  readonly port: number;
  /** Stops accepting connections. */
  close(): Promise<void>;
}

/** The network of a fleet: TCP or TLS, another one only in tests. */
export interface PeerNetwork {
  /** Accepts connections. */
  listen(accepted: (connection: InboundConnection) => void): Promise<PeerListener>;
  /** Connects to a node, and checks its certificate if certificates are used. */
  dial(node: NodeRecord, signal: AbortSignal): Promise<Duplex>;
}
