// A directory within one process: for one node, for several nodes in one process, and as the reference for other directories.
import { type Clock, systemClock } from '@zishuo/yamux-balancer';
import type { Beat, DirectoryListener, Entry, NodeRecord, Placement, SessionDirectory } from './directory.ts';
import { DirectoryState } from './directory-state.ts';

/** Of {@link memoryDirectory}. */
export interface MemoryDirectoryOptions {
  /**
   * The clock, for tests.
   * @defaultValue the system's
   */
  readonly clock?: Clock | undefined;
}

class MemoryDirectory implements SessionDirectory {
  readonly #clock: Clock;
  readonly #state = new DirectoryState();
  readonly #listeners = new Set<DirectoryListener>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async beat(self: NodeRecord, lease: number): Promise<Beat> {
    return this.#state.beat(self, lease, this.#clock.now());
  }

  async publish(entries: readonly Entry[]): Promise<void> {
    for (const name of this.#state.publish(entries, this.#clock.now())) {
      for (const listener of this.#listeners) listener.changed(name);
    }
  }

  async lookup(name: string): Promise<readonly Placement[]> {
    return this.#state.lookup(name);
  }

  watch(listener: DirectoryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async leave(node: string): Promise<void> {
    this.#state.leave(node);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }
}

/** A directory in memory, for one node, or for several nodes in one process that share the object. */
export function memoryDirectory(options: MemoryDirectoryOptions = {}): SessionDirectory {
  return new MemoryDirectory(options.clock ?? systemClock);
}
