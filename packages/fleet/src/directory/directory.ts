// The shared directory of the nodes: the live nodes, and the nodes that have sessions for a name. It is a directory of names: the pool of the owner
// node chooses the session.

/** The record that a node sends with every beat. */
export interface NodeRecord {
  /** The id, new at every start, so that two processes never write the same fields. */
  readonly id: string;
  /** The name, stable over restarts: it decides the place in the order of keys, and is the name in the certificate. */
  readonly name: string;
  /** The address for its peers: `host:port`. */
  readonly address: string;
  /** The weight of the node, above 0. */
  readonly weight: number;
  /** Sessions of agents there. */
  readonly sessions: number;
  /** Streams that are open or being opened there. */
  readonly load: number;
  /** Whether it is draining: it takes new streams only if no other node can. */
  readonly draining: boolean;
}

/** An agent for the choice by key: the id and the weight of its sessions in the pool. */
export interface Agent {
  /** The `id` of its sessions. */
  readonly id: string;
  /** The `weight` of its sessions. */
  readonly weight: number;
}

/** The sessions of one node for one name. */
export interface Placement {
  /** The id of the node. */
  readonly node: string;
  /** The number of sessions that take new streams. */
  readonly sessions: number;
  /** The agents of the sessions; empty if there are more than 64. */
  readonly agents: readonly Agent[];
}

/** An entry that a node publishes: a placement; 0 sessions withdraw it. */
export interface Entry extends Placement {
  /** The name. */
  readonly name: string;
  /** A number that grows with every entry of the node. A directory drops entries that are not above the highest it has seen. */
  readonly seq: number;
}

/** The answer to a beat. */
export interface Beat {
  /** Every node with a valid lease, including the asking one. */
  readonly nodes: readonly NodeRecord[];
  /**
   * The highest `seq` of this node in the directory; 0 if there is none, undefined if the directory did not know the node before this beat. A lower value
   * than before means that the directory has lost content.
   */
  readonly seq: number | undefined;
}

/** The events of a directory. All are hints: a hint may be lost or outdated. */
export interface DirectoryListener {
  /** The placements of a name may have changed. */
  changed(name: string): void;
  /** Any number of hints may have been lost. */
  unsure(): void;
  /** The directory answers again. */
  up(): void;
  /** The directory does not answer. */
  down(error: Error): void;
}

/** The directory in which the nodes of a fleet find each other. Every method rejects within a few seconds without an answer. */
export interface SessionDirectory {
  /** Renews the lease of a node, in milliseconds of the directory's own clock, and returns the live nodes. */
  beat(self: NodeRecord, lease: number): Promise<Beat>;
  /**
   * Writes entries of one node, in the order of `seq`. May be repeated. Entries of a node without a lease are dropped; the `seq` of the next beat
   * shows it.
   */
  publish(entries: readonly Entry[]): Promise<void>;
  /** Reads the placements of one name. Placements of nodes with an expired lease are kept for a while, because such a node may still be reachable. */
  lookup(name: string): Promise<readonly Placement[]>;
  /** Listens for hints until the returned function is called. */
  watch(listener: DirectoryListener): () => void;
  /** Ends the lease of a node, and so all its placements. */
  leave(node: string): Promise<void>;
  /** Disconnects from the engine. The application closes its directory after the fleets that use it. */
  close(): Promise<void>;
}
