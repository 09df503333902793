// The reference model of a directory: its content, with time as an argument. The Redis scripts implement the same.
import type { Beat, Entry, NodeRecord, Placement } from './directory.ts';

interface Lease {
  record: NodeRecord;
  expires: number;
  /** The highest accepted seq. Kept beyond the lease, like the placements, for a node that comes back. */
  seq: number;
}

/** ms for which the placements of a node without a valid lease are kept. */
export const KEPT = 600_000;

export class DirectoryState {
  readonly #leases = new Map<string, Lease>();
  readonly #names = new Map<string, Map<string, Placement>>();

  /** The number of names with placements. */
  get names(): number {
    return this.#names.size;
  }

  beat(self: NodeRecord, lease: number, now: number): Beat {
    this.#sweepDead(now);
    const held = this.#leases.get(self.id);
    const seq = held?.seq;
    this.#leases.set(self.id, { record: self, expires: now + lease, seq: seq ?? 0 });
    const alive = [...this.#leases.values()].filter(({ expires }) => expires > now);
    return { nodes: alive.map(({ record }) => record), seq };
  }

  /** Returns the names that have changed. */
  publish(entries: readonly Entry[], now: number): readonly string[] {
    const changed: string[] = [];
    for (const { name, seq, node, sessions, agents } of entries) {
      const lease = this.#leases.get(node);
      if (lease === undefined || lease.expires <= now || seq <= lease.seq) continue;
      lease.seq = seq;
      this.#place(name, { node, sessions, agents });
      changed.push(name);
    }
    return changed;
  }

  lookup(name: string): readonly Placement[] {
    return [...(this.#names.get(name)?.values() ?? [])];
  }

  leave(node: string): void {
    this.#leases.delete(node);
    this.#sweep(node);
  }

  /** Drops everything, like an engine that comes back empty. */
  clear(): void {
    this.#leases.clear();
    this.#names.clear();
  }

  #place(name: string, placement: Placement): void {
    const placements = this.#names.get(name) ?? new Map<string, Placement>();
    if (placement.sessions > 0) placements.set(placement.node, placement);
    else placements.delete(placement.node);
    if (placements.size > 0) this.#names.set(name, placements);
    else this.#names.delete(name);
  }

  #sweepDead(now: number): void {
    for (const [id, { expires }] of this.#leases) if (expires + KEPT <= now) this.leave(id);
  }

  #sweep(node: string): void {
    for (const [name, placements] of this.#names) {
      if (placements.delete(node) && placements.size === 0) this.#names.delete(name);
    }
  }
}
