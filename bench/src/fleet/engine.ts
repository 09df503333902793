// A real engine, empty, on 127.0.0.1, and what it says of itself.
import { spawnSync } from 'node:child_process';
import { createClient } from '@redis/client';
import type { SessionDirectory } from '@zishuo/yamux-fleet';
import { type Children, freePort } from '../tunnel/children.ts';
import { entryOf, nodeRecord } from './entries.ts';

const BATCH = 500;
const LEASE = 600_000;

/** Why there is none; undefined where it can be started. */
export function engineIsMissing(): string | undefined {
  const { error } = spawnSync('redis-server', ['--version'], { stdio: 'ignore' });
  return error === undefined ? undefined : "there is no 'redis-server'";
}

/** Resolves with its URL, when it takes connections. */
export async function startEngine(children: Children): Promise<string> {
  const port = await freePort();
  const options = { port, bind: '127.0.0.1', dir: children.folder, save: '', appendonly: 'no' };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  children.start('redis-server', 'redis-server', args);
  await children.listening(port);
  return `redis://127.0.0.1:${port}`;
}

/** What a fleet asks of the engine by itself; what its scripts do there is not counted. */
const ASKED = ['eval', 'evalsha', 'hgetall', 'ping'];

/** A connection beside those that are measured. */
export class EngineWatch {
  readonly #client: ReturnType<typeof createClient>;
  readonly #own = { in: 0, out: 0 };

  constructor(url: string) {
    this.#client = createClient({ url, RESP: 3, maintNotifications: 'disabled' });
    // Its questions fail, too.
    this.#client.on('error', () => {});
  }

  async connect(): Promise<void> {
    await this.#client.connect();
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    await this.#client.sendCommand(['FLUSHALL', 'SYNC']);
  }

  async usedMemory(): Promise<number> {
    return field(await this.#info('memory'), 'used_memory');
  }

  /** Commands that fleets have sent, since the engine was started. */
  async operations(): Promise<number> {
    const info = await this.#info('commandstats');
    return ASKED.reduce((all, command) => all + Number(callsOf(info, command) ?? 0), 0);
  }

  /** Bytes that it has got and sent, without those of what this connection asks of it. */
  async traffic(): Promise<{ readonly in: number; readonly out: number }> {
    const { in: ownIn, out: ownOut } = this.#own;
    const info = await this.#info('stats');
    // Of this question it has the words in its count, and not yet the answer.
    const asked = this.#own.in - ownIn;
    return {
      in: field(info, 'total_net_input_bytes') - ownIn - asked,
      out: field(info, 'total_net_output_bytes') - ownOut,
    };
  }

  close(): void {
    this.#client.destroy();
  }

  async #info(section: string): Promise<string> {
    const info = String(await this.#client.sendCommand(['INFO', section]));
    this.#own.in += `*2\r\n$4\r\nINFO\r\n$${section.length}\r\n${section}\r\n`.length;
    this.#own.out += `=${info.length + 4}\r\ntxt:${info}\r\n`.length;
    return info;
  }
}

function callsOf(info: string, command: string): string | undefined {
  return new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(info)?.[1];
}

function field(info: string, name: string): number {
  const value = new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1];
  if (value === undefined) throw new Error(`the engine does not say ${name}`);
  return Number(value);
}

/** So many names, at one node that lives for as long as a measurement takes. */
export async function tellNames(directory: SessionDirectory, names: number): Promise<void> {
  await directory.beat(nodeRecord(0), LEASE);
  for (let first = 0; first < names; first += BATCH) {
    const length = Math.min(BATCH, names - first);
    await directory.publish(Array.from({ length }, (_, index) => entryOf(first + index, first + index + 1)));
  }
}
