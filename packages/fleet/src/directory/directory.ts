// What nodes share: who is alive, and which of them have sessions for a name. It is a directory of names: which session serves is decided by
// its owner's pool.

/** One node, as it tells of itself with every beat. */
export interface NodeRecord {
  /** New at every start, so that no two processes ever write the same fields. */
  readonly id: string;
  /** Stable over restarts: its place in the order of keys, and the name in its certificate. */
  readonly name: string;
  /** Where its peers dial it: `host:port`. */
  readonly address: string;
  /** Its share of the load, above 0. */
  readonly weight: number;
  /** Sessions of agents there. */
  readonly sessions: number;
  /** Streams that are open or opening there. */
  readonly load: number;
  /** It takes no new streams where another node can. */
  readonly draining: boolean;
}

/** An agent as keys see it: the id and the weight of its sessions in the pool. */
export interface Agent {
  /** The `id` of its sessions. */
  readonly id: string;
  /** The `weight` of its sessions. */
  readonly weight: number;
}

/** What one node has for one name. */
export interface Placement {
  /** The id of the node. */
  readonly node: string;
  /** How many sessions that take new streams. */
  readonly sessions: number;
  /** Whose they are; empty when they are more than 64. */
  readonly agents: readonly Agent[];
}

/** What a node writes: a placement, with 0 sessions to withdraw it. */
export interface Entry extends Placement {
  /** The name. */
  readonly name: string;
  /** Grows with every entry of the node. A directory drops entries that are not above what it has seen. */
  readonly seq: number;
}

/** The answer to a beat. */
export interface Beat {
  /** Every node whose lease runs, the one that asks included. */
  readonly nodes: readonly NodeRecord[];
  /**
   * The highest `seq` of this node that the directory holds, 0 before there is one; undefined where it did not know the node before this beat. Less
   * than what was there: the directory has lost something.
   */
  readonly seq: number | undefined;
}

/** What a directory tells. All are hints: a hint may be lost, and what it says may be outdated. */
export interface DirectoryListener {
  /** The placements of a name may have changed. */
  changed(name: string): void;
  /** Any number of changes may have been missed. */
  unsure(): void;
  /** It answers again. */
  up(): void;
  /** It does not answer. */
  down(error: Error): void;
}

/** Where the nodes of a fleet find each other. Every method rejects within a few seconds where there is no answer. */
export interface SessionDirectory {
  /** Renews the lease of a node, for so many milliseconds by the directory's own clock, and tells who is alive. */
  beat(self: NodeRecord, lease: number): Promise<Beat>;
  /**
   * Writes what one node has, in the order of `seq`. It may be repeated. Entries of a node without a lease are dropped: the `seq` of the next beat
   * tells.
   */
  publish(entries: readonly Entry[]): Promise<void>;
  /** The placements of one name, read now. Those of nodes whose lease has run out stay for a while: such a node may still be reached. */
  lookup(name: string): Promise<readonly Placement[]>;
  /** Hears hints until the function that it returns is called. */
  watch(listener: DirectoryListener): () => void;
  /** Ends the lease of a node, and thereby all of its placements. */
  leave(node: string): Promise<void>;
  /** Lets go of the engine. A directory is closed by its owner, after the fleets that use it. */
  close(): Promise<void>;
}
