// A directory on an engine with the protocol of Redis. Each name has a key, and each node a field in it, which only that node writes. Further keys
// have the leases of the nodes. There are two connections. Existing names are read on a connection on which the engine reports changes. Unknown names are
// read only on the other one, because the engine would track each of them.
import { createClient, type RedisClientType } from '@redis/client';
import { checkMethods, checkOptions, checkText } from '../checks.ts';
import type {
  Beat,
  DirectoryListener,
  Entry,
  NodeRecord,
  Placement,
  SessionDirectory,
} from '../directory/directory.ts';
import { KEPT } from '../directory/directory-state.ts';
import { Connection } from './connection.ts';
import { BEAT, LEAVE, PUBLISH, type Script } from './scripts.ts';
import { decodePlacement, decodeRecord, encodePlacement, encodeRecord } from './values.ts';

/** A client of `@redis/client`, or of `redis`. */
export interface RedisClientLike {
  /** Returns a client with the same settings, except for the given ones. */
  duplicate(overrides?: object): unknown;
  /** The settings of the client. */
  readonly options?: { readonly socket?: object | undefined } | undefined;
}

/** Of {@link redisDirectory}: either `url` or `client`. */
export interface RedisDirectoryOptions {
  /** `redis://host:port`, `rediss://user:password@host:port/database`. */
  readonly url?: string | undefined;
  /** A client whose settings are used: certificates, credentials, a socket. It need not be connected. The caller still owns it. */
  readonly client?: RedisClientLike | undefined;
  /**
   * The prefix of all keys of this fleet. Fleets that share an engine need different prefixes.
   * @defaultValue 'yamux:'
   */
  readonly prefix?: string | undefined;
}

/** ms for which the engine keeps a name that is not published again: twice the time in which a node publishes all its names again. */
const NAME_KEPT = 24 * 3_600_000;
/** Beats between two calls on the tracked connection. */
const ASK_TRACKED = 5;

class RedisDirectory implements SessionDirectory {
  readonly #prefix: string;
  readonly #leases: string;
  readonly #records: string;
  readonly #seqs: string;
  readonly #listeners = new Set<DirectoryListener>();
  readonly #plain: Connection;
  readonly #tracked: Connection;
  #isTrackedAsked = false;
  #beats = 0;

  constructor(make: (more: object) => RedisClientType, prefix: string) {
    this.#prefix = `${prefix}@`;
    this.#leases = `${prefix}leases`;
    this.#records = `${prefix}nodes`;
    this.#seqs = `${prefix}seqs`;
    this.#plain = new Connection({
      make: () => make({}),
      up: () => this.#tell((listener) => listener.up()),
      lost: (error) => {
        this.#askTracked();
        this.#tell((listener) => listener.down(error));
      },
    });
    const unsure = (): void => this.#tell((listener) => listener.unsure());
    this.#tracked = new Connection({
      make: () => make({ emitInvalidate: true }).on('invalidate', (key: Buffer | null) => this.#invalidate(key)),
      up: unsure,
      lost: unsure,
    });
  }

  async beat(self: NodeRecord, lease: number): Promise<Beat> {
    if (this.#beats % ASK_TRACKED === 0) this.#askTracked();
    this.#beats += 1;
    const args = [self.id, String(lease), encodeRecord(self), String(KEPT)];
    const answer = await this.#run(BEAT, [this.#leases, this.#records, this.#seqs], args);
    const [seq, records] = answer as [string | null, (string | null)[]];
    const nodes = records.map(decodeRecord).filter((record) => record !== undefined);
    return { nodes, seq: seq === null ? undefined : Number(seq) };
  }

  async publish(entries: readonly Entry[]): Promise<void> {
    const nodes = new Set(entries.map(({ node }) => node));
    for (const node of nodes) {
      const own = entries.filter((entry) => entry.node === node);
      const keys = [this.#leases, this.#seqs, ...own.map(({ name }) => this.#keyOf(name))];
      const args = [node, String(NAME_KEPT), ...own.flatMap((entry) => [String(entry.seq), encodePlacement(entry)])];
      await this.#run(PUBLISH, keys, args);
    }
  }

  async lookup(name: string): Promise<readonly Placement[]> {
    const key = this.#keyOf(name);
    const first = await this.#read(this.#plain, key);
    if (first.length === 0 || this.#tracked.isDown) return first;
    return this.#read(this.#tracked, key).catch(() => first);
  }

  watch(listener: DirectoryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async leave(node: string): Promise<void> {
    await this.#run(LEAVE, [this.#leases, this.#records, this.#seqs], [node]);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#plain.close();
    this.#tracked.close();
  }

  async #read(connection: Connection, key: string): Promise<readonly Placement[]> {
    const fields = (await connection.call(['HGETALL', key])) as Readonly<Record<string, string>>;
    return Object.entries(fields)
      .map(([node, text]) => decodePlacement(node, text))
      .filter((placement) => placement !== undefined);
  }

  /** Runs a script by its hash; by its text if the engine does not know it, for example after a restart. */
  async #run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.#plain.call(['EVALSHA', script.sha, ...rest]);
    } catch (error) {
      const { cause } = error as Error;
      if (!(cause instanceof Error && cause.message.startsWith('NOSCRIPT'))) throw error;
      return this.#plain.call(['EVAL', script.text, ...rest]);
    }
  }

  /**
   * Nothing shows that an unused connection is lost, except a call of our own. One call in a few beats is enough, because entries also become stale
   * without a hint. And if the other connection is lost, this one probably is too.
   */
  #askTracked(): void {
    if (this.#isTrackedAsked || this.#tracked.isDown) return;
    this.#isTrackedAsked = true;
    const done = (): void => {
      this.#isTrackedAsked = false;
    };
    this.#tracked.call(['PING']).then(done, done);
  }

  /** Null means any key. */
  #invalidate(key: Buffer | null): void {
    if (key === null) this.#tell((listener) => listener.unsure());
    else this.#tell((listener) => listener.changed(key.toString().slice(this.#prefix.length)));
  }

  #tell(what: (listener: DirectoryListener) => void): void {
    for (const listener of this.#listeners) what(listener);
  }

  #keyOf(name: string): string {
    return `${this.#prefix}${name}`;
  }
}

/**
 * A directory on Redis or Valkey, version 6 or later: one server, with or without replicas, not a cluster. It opens two connections of its own. The
 * nodes can restore all keys, so the engine needs no persistence.
 */
export function redisDirectory(options: RedisDirectoryOptions): SessionDirectory {
  checkOptions('redisDirectory()', options, ['url', 'client', 'prefix']);
  const { url, client, prefix = 'yamux:' } = options;
  if ((url === undefined) === (client === undefined)) {
    throw new TypeError('Expected redisDirectory() to have either a url or a client');
  }
  if (url !== undefined) checkText('url', url);
  if (client !== undefined) checkMethods('client', client, ['duplicate']);
  checkText('prefix', prefix);
  const template = client ?? createClient({ url: url as string });
  const socket = { ...template.options?.socket, reconnectStrategy: false };
  const common = { RESP: 3, socket, disableOfflineQueue: true, maintNotifications: 'disabled' };
  return new RedisDirectory((more) => template.duplicate({ ...common, ...more }) as RedisClientType, prefix);
}
