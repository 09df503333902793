// The known nodes, from the answers of the directory and the state of the peer links. Pure: time is an argument. If the directory has just lost its
// content, or most nodes at once, nodes that it no longer lists are kept for a while.
import { rendezvousHash } from '@zishuo/yamux-balancer';
import type { NodeRecord } from '../directory/directory.ts';

/** A node, with the facts that this node knows about it. */
export interface KnownNode {
  record: NodeRecord;
  /** The hash of its name. */
  readonly hash: number;
  /** Streams that this node has opened there since `record.load` was published. */
  opens: number;
  /** The time when the directory last listed the node as alive. */
  heardAt: number;
}

export interface Answer {
  readonly nodes: readonly NodeRecord[];
  /** Whether the directory has lost entries of this node. */
  readonly hasForgotten: boolean;
  /** The value of `suspicions` at the request. An answer to a request from before a suspicion does not end it. */
  readonly suspicions: number;
}

export interface ViewChange {
  readonly joined: readonly NodeRecord[];
  readonly left: readonly NodeRecord[];
}

export class NodeView {
  readonly #nodes = new Map<string, KnownNode>();
  /** ms for which an implausible answer is not used. */
  readonly #doubt: number;
  readonly #self: string;
  /** The number of suspicions so far. */
  suspicions = 0;
  #doubtUntil: number | undefined;
  /** The end of the time for which the answers are not used. */
  #suspectedUntil: number | undefined;

  constructor(self: NodeRecord, doubt: number) {
    this.#self = self.id;
    this.#doubt = doubt;
    this.#nodes.set(self.id, newNode(self, 0));
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(id: string): KnownNode | undefined {
    return this.#nodes.get(id);
  }

  [Symbol.iterator](): IterableIterator<KnownNode> {
    return this.#nodes.values();
  }

  /** The directory may have lost its content. The next answer shows it. */
  suspect(now: number): void {
    this.suspicions += 1;
    this.#suspectedUntil ??= now + this.#doubt;
  }

  isDoubtful(now: number): boolean {
    return now < (this.#doubtUntil ?? -Infinity) || now < (this.#suspectedUntil ?? -Infinity);
  }

  /** `isLinked`: whether the node answers on a link, whatever the directory says. */
  update({ nodes, hasForgotten, suspicions }: Answer, now: number, isLinked: (id: string) => boolean): ViewChange {
    const joined: NodeRecord[] = [];
    const named = new Set<string>();
    for (const record of nodes) {
      named.add(record.id);
      if (this.#tell(record, now)) joined.push(record);
    }
    const missing = [...this.#nodes.keys()].filter((id) => id !== this.#self && !named.has(id) && !isLinked(id));
    const isStrange = missing.length * 2 > this.#nodes.size;
    if (suspicions === this.suspicions) this.#suspectedUntil = undefined;
    if (hasForgotten) this.#doubtUntil = now + this.#doubt;
    else if (isStrange) this.#doubtUntil ??= now + this.#doubt;
    if (this.#doubtUntil !== undefined && now < this.#doubtUntil) return { joined, left: [] };
    this.#doubtUntil = undefined;
    return { joined, left: missing.map((id) => this.#drop(id)) };
  }

  /** True if the node is new. */
  #tell(record: NodeRecord, now: number): boolean {
    const node = this.#nodes.get(record.id);
    if (node === undefined) {
      this.#nodes.set(record.id, newNode(record, now));
      return true;
    }
    node.record = record;
    node.opens = 0;
    node.heardAt = now;
    return false;
  }

  #drop(id: string): NodeRecord {
    const { record } = this.#nodes.get(id) as KnownNode;
    this.#nodes.delete(id);
    return record;
  }
}

function newNode(record: NodeRecord, heardAt: number): KnownNode {
  return { record, hash: rendezvousHash(record.name), opens: 0, heardAt };
}
