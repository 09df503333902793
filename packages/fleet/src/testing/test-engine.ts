// A directory with faults, for tests: an engine in memory, and directories as its clients. A test can stop it, erase it, or cut one client off.
import type { Clock } from '@zishuo/yamux-balancer';
import type {
  Beat,
  DirectoryListener,
  Entry,
  NodeRecord,
  Placement,
  SessionDirectory,
} from '../directory/directory.ts';
import { DirectoryState } from '../directory/directory-state.ts';
import { FleetError } from '../errors.ts';

/** ms after which a call without an answer rejects. */
const CALL_TIMEOUT = 1_000;

/** The directory of one node on a {@link TestEngine}. */
export class TestDirectory implements SessionDirectory {
  /** Calls that reached the engine, by method. */
  readonly calls: { beat: number; publish: number; lookup: number } = { beat: 0, publish: 0, lookup: 0 };
  readonly #engine: TestEngine;
  readonly #state: DirectoryState;
  readonly #clock: Clock;
  readonly #listeners = new Set<DirectoryListener>();
  /** The names that it has looked up. It gets hints only for these. */
  readonly #read = new Set<string>();
  #isCut = false;

  /** @internal Created by the engine. */
  constructor(engine: TestEngine, state: DirectoryState, clock: Clock) {
    this.#engine = engine;
    this.#state = state;
    this.#clock = clock;
  }

  /** Cuts this client off: it gets no answers. */
  cut(): void {
    this.#isCut = true;
    this.tell((listener) => listener.down(this.#unanswered()));
  }

  /** Ends the cut. */
  mend(): void {
    this.#isCut = false;
    this.tell((listener) => listener.unsure());
    this.tell((listener) => listener.up());
  }

  /** Renews a lease. */
  async beat(self: NodeRecord, lease: number): Promise<Beat> {
    await this.#reach();
    this.calls.beat += 1;
    return this.#state.beat(self, lease, this.#clock.now());
  }

  /** Writes entries, and sends hints to the other clients. */
  async publish(entries: readonly Entry[]): Promise<void> {
    await this.#reach();
    this.calls.publish += 1;
    this.#engine.changed(this.#state.publish(entries, this.#clock.now()));
  }

  /** Reads one name. */
  async lookup(name: string): Promise<readonly Placement[]> {
    await this.#reach();
    this.calls.lookup += 1;
    this.#read.add(name);
    return this.#state.lookup(name);
  }

  /** Listens for hints. */
  watch(listener: DirectoryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends a lease. */
  async leave(node: string): Promise<void> {
    await this.#reach();
    this.#state.leave(node);
  }

  /** Stops all hints. */
  async close(): Promise<void> {
    this.#listeners.clear();
  }

  /** @internal */
  hint(name: string): void {
    if (this.#isCut || !this.#read.delete(name)) return;
    this.tell((listener) => listener.changed(name));
  }

  /** @internal */
  tell(what: (listener: DirectoryListener) => void): void {
    for (const listener of this.#listeners) what(listener);
  }

  #reach(): Promise<void> {
    if (!this.#isCut && !this.#engine.isStopped) return Promise.resolve();
    return new Promise((_, reject) => {
      this.#clock.setTimeout(() => reject(this.#unanswered()), CALL_TIMEOUT);
    });
  }

  #unanswered(): FleetError {
    return new FleetError('ERR_YAMUX_FLEET_DIRECTORY', 'The engine of the test does not answer');
  }
}

/** An engine in memory with faults that a test controls. */
export class TestEngine {
  readonly #clock: Clock;
  readonly #state = new DirectoryState();
  readonly #clients: TestDirectory[] = [];
  #isStopped = false;

  /** The clock of the leases. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the engine answers no calls. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The number of names in it. */
  get names(): number {
    return this.#state.names;
  }

  /** A directory for one node. */
  connect(): TestDirectory {
    const client = new TestDirectory(this, this.#state, this.#clock);
    this.#clients.push(client);
    return client;
  }

  /** Stops the engine like SIGSTOP: calls get no answer. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Continues the engine like SIGCONT. */
  resume(): void {
    this.#isStopped = false;
    for (const client of this.#clients) client.tell((listener) => listener.up());
  }

  /** Erases the engine like FLUSHALL. */
  clear(): void {
    this.#state.clear();
    for (const client of this.#clients) client.tell((listener) => listener.unsure());
  }

  /** @internal */
  changed(names: readonly string[]): void {
    for (const client of this.#clients) for (const name of names) client.hint(name);
  }
}
