// A directory with faults, for tests: an engine in memory, and directories that are its clients. It stands still, forgets, or is cut off from one of
// them, when the test says so.
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

/** What a client does with a call that gets no answer: it rejects after so many milliseconds. */
const CALL_TIMEOUT = 1_000;

/** One node's way to a {@link TestEngine}. */
export class TestDirectory implements SessionDirectory {
  /** Calls that reached the engine, by method. */
  readonly calls: { beat: number; publish: number; lookup: number } = { beat: 0, publish: 0, lookup: 0 };
  readonly #engine: TestEngine;
  readonly #state: DirectoryState;
  readonly #clock: Clock;
  readonly #listeners = new Set<DirectoryListener>();
  /** What it has looked up: only of these it hears. */
  readonly #read = new Set<string>();
  #isCut = false;

  /** @internal Made by the engine. */
  constructor(engine: TestEngine, state: DirectoryState, clock: Clock) {
    this.#engine = engine;
    this.#state = state;
    this.#clock = clock;
  }

  /** This client alone gets no answers any more. */
  cut(): void {
    this.#isCut = true;
    this.tell((listener) => listener.down(this.#unanswered()));
  }

  /** It gets answers again. */
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

  /** Writes, and hints to the other clients. */
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

  /** Hears hints. */
  watch(listener: DirectoryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends a lease. */
  async leave(node: string): Promise<void> {
    await this.#reach();
    this.#state.leave(node);
  }

  /** Nothing is heard from now on. */
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

/** An engine in memory whose faults the test decides. */
export class TestEngine {
  readonly #clock: Clock;
  readonly #state = new DirectoryState();
  readonly #clients: TestDirectory[] = [];
  #isStopped = false;

  /** Leases run on this clock. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It answers nobody. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** How many names it holds. */
  get names(): number {
    return this.#state.names;
  }

  /** A directory for one node. */
  connect(): TestDirectory {
    const client = new TestDirectory(this, this.#state, this.#clock);
    this.#clients.push(client);
    return client;
  }

  /** As SIGSTOP does: calls get no answer. */
  stop(): void {
    this.#isStopped = true;
  }

  /** As SIGCONT does. */
  resume(): void {
    this.#isStopped = false;
    for (const client of this.#clients) client.tell((listener) => listener.up());
  }

  /** As FLUSHALL does. */
  clear(): void {
    this.#state.clear();
    for (const client of this.#clients) client.tell((listener) => listener.unsure());
  }

  /** @internal */
  changed(names: readonly string[]): void {
    for (const client of this.#clients) for (const name of names) client.hint(name);
  }
}
