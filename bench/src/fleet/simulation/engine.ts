// An engine in memory, as a client of Redis sees it: it takes the very commands that redisDirectory() sends, and counts them and their bytes. What the
// scripts do is done by their meaning; a test holds it to a real engine, bytes included.
import type { Clock } from '@zishuo/yamux-balancer';
import type { RedisClientLike } from '@zishuo/yamux-fleet/redis';

export interface Counts {
  /** Commands of all kinds. */
  readonly operations: number;
  /** Of these, lookups of names. */
  readonly reads: number;
  /** Names that were told. */
  readonly told: number;
  /** Hints that a name has changed. */
  readonly hints: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

type Reply = string | null | readonly Reply[] | Readonly<Record<string, string>>;

const CRLF = 2;
const NULL_BYTES = 3;

function digits(number: number): number {
  return String(number).length;
}

function bulkBytes(text: string): number {
  const length = Buffer.byteLength(text);
  return 1 + digits(length) + CRLF + length + CRLF;
}

function listBytes(parts: readonly string[]): number {
  return parts.reduce((all, part) => all + bulkBytes(part), 1 + digits(parts.length) + CRLF);
}

function replyBytes(reply: Reply): number {
  if (reply === null) return NULL_BYTES;
  if (typeof reply === 'string') return bulkBytes(reply);
  if (isList(reply)) return reply.reduce((all, part) => all + replyBytes(part), 1 + digits(reply.length) + CRLF);
  const entries = Object.entries(reply);
  return entries.reduce(
    (all, [key, value]) => all + bulkBytes(key) + bulkBytes(value),
    1 + digits(entries.length) + CRLF,
  );
}

function isList(reply: Reply): reply is readonly Reply[] {
  return Array.isArray(reply);
}

const PONG = '+PONG\r\n';

export class SimulatedEngine {
  readonly #clock: Clock;
  readonly #names = new Map<string, Map<string, string>>();
  readonly #leases = new Map<string, number>();
  readonly #records = new Map<string, string>();
  readonly #seqs = new Map<string, number>();
  /** Of each key, the clients that have read it since it last changed. */
  readonly #readers = new Map<string, Set<SimulatedClient>>();
  readonly #counts = { operations: 0, reads: 0, told: 0, hints: 0, bytesIn: 0, bytesOut: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get counts(): Counts {
    return { ...this.#counts };
  }

  /** For redisDirectory(). */
  client(): RedisClientLike {
    return new SimulatedClient(this, false);
  }

  /** @internal */
  take(client: SimulatedClient, args: readonly string[]): Reply {
    this.#counts.operations += 1;
    this.#counts.bytesIn += listBytes(args);
    const [command, first = ''] = args;
    if (command === 'PING') {
      this.#counts.bytesOut += PONG.length;
      return 'PONG';
    }
    const reply = command === 'HGETALL' ? this.#read(client, first) : this.#run(args);
    this.#counts.bytesOut += replyBytes(reply);
    return reply;
  }

  #read(client: SimulatedClient, key: string): Reply {
    this.#counts.reads += 1;
    if (client.isTracked) {
      const readers = this.#readers.get(key) ?? new Set();
      this.#readers.set(key, readers.add(client));
    }
    return Object.fromEntries(this.#names.get(key) ?? []);
  }

  /** The scripts are told apart by their keys and arguments. */
  #run([, , count, ...rest]: readonly string[]): Reply {
    const keys = rest.slice(0, Number(count));
    const args = rest.slice(Number(count));
    if (args.length === 1) return this.#leave(args[0] as string);
    if (keys[1]?.endsWith('seqs')) return this.#publish(keys.slice(2), args);
    return this.#beat(args as [string, string, string, string]);
  }

  #beat([id, lease, record, kept]: readonly [string, string, string, string]): Reply {
    const now = this.#clock.now();
    for (const [dead, expires] of this.#leases) if (expires <= now - Number(kept)) this.#leave(dead);
    const seq = this.#seqs.get(id);
    if (seq === undefined) this.#seqs.set(id, 0);
    this.#leases.set(id, now + Number(lease));
    this.#records.set(id, record);
    const alive = [...this.#leases].filter(([, expires]) => expires > now);
    return [seq === undefined ? null : String(seq), alive.map(([one]) => this.#records.get(one) ?? null)];
  }

  #publish(keys: readonly string[], [id = '', , ...values]: readonly string[]): Reply {
    if ((this.#leases.get(id) ?? 0) <= this.#clock.now()) return null;
    let taken = this.#seqs.get(id) as number;
    for (const [index, key] of keys.entries()) {
      const seq = Number(values[2 * index]);
      if (seq <= taken) continue;
      taken = seq;
      this.#counts.told += 1;
      this.#place(key, id, values[2 * index + 1] as string);
    }
    this.#seqs.set(id, taken);
    return null;
  }

  #place(key: string, id: string, placement: string): void {
    const fields = this.#names.get(key) ?? new Map<string, string>();
    let hasChanged = false;
    for (const node of fields.keys()) if (!this.#leases.has(node)) hasChanged = fields.delete(node);
    if (placement === '') hasChanged = fields.delete(id) || hasChanged;
    else hasChanged = fields.set(id, placement).size > 0;
    if (fields.size > 0) this.#names.set(key, fields);
    else this.#names.delete(key);
    if (hasChanged) this.#invalidate(key);
  }

  #invalidate(key: string): void {
    for (const client of this.#readers.get(key) ?? []) {
      this.#counts.hints += 1;
      // A push of two: the word, and the list of one key.
      this.#counts.bytesOut += 2 + CRLF + bulkBytes('invalidate') + listBytes([key]);
      client.invalidate(key);
    }
    this.#readers.delete(key);
  }

  #leave(id: string): Reply {
    this.#leases.delete(id);
    this.#records.delete(id);
    this.#seqs.delete(id);
    return null;
  }
}

/** As much of a client as redisDirectory() uses. */
export class SimulatedClient implements RedisClientLike {
  readonly options = { socket: {} };
  readonly isTracked: boolean;
  readonly #engine: SimulatedEngine;
  #heard: (key: Buffer) => void = () => {};

  constructor(engine: SimulatedEngine, isTracked: boolean) {
    this.#engine = engine;
    this.isTracked = isTracked;
  }

  duplicate(overrides: { readonly emitInvalidate?: boolean } = {}): SimulatedClient {
    return new SimulatedClient(this.#engine, overrides.emitInvalidate === true);
  }

  on(event: string, listener: (key: Buffer) => void): this {
    if (event === 'invalidate') this.#heard = listener;
    return this;
  }

  async connect(): Promise<void> {}

  async sendCommand(args: readonly string[]): Promise<Reply> {
    return this.#engine.take(this, args);
  }

  destroy(): void {
    this.#heard = () => {};
  }

  /** @internal */
  invalidate(key: string): void {
    this.#heard(Buffer.from(key));
  }
}
