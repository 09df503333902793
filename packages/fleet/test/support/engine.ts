// A real engine, as a process of its own: redis-server on a socket in a folder of its own, with nothing on disk. Where there is none, tests that need
// one say so in one line and are left out; where it was asked for (CI, REQUIRE_REDIS=1), that is an error.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { FaultyProcess } from './faulty-process.ts';

const run = promisify(execFile);
const PROGRAM = 'redis-server';

/** Says why, where it is false. */
export function hasEngine(): boolean {
  if (spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).error === undefined) return true;
  const said = 'no redis-server on PATH: the directory is not tested on a real engine';
  if (isSet('CI') || isSet('REQUIRE_REDIS')) throw new Error(said);
  console.warn(`skipped: ${said}`);
  return false;
}

export class Engine extends FaultyProcess {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fleet-engine-'));

  /** Where it listens. */
  readonly path: string = join(this.#folder, 'socket');

  /** Resolves when it takes connections. It is empty. */
  async start(): Promise<void> {
    const options = { port: 0, unixsocket: this.path, dir: this.#folder, save: '', appendonly: 'no' };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.process = child;
    const output = child.stdout as Readable;
    const lines = createInterface(output);
    for await (const line of lines) if (line.includes('accept connections')) break;
    lines.close();
    output.resume();
  }

  async command(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-s', this.path, ...args]);
    return stdout.trim();
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function isSet(name: string): boolean {
  return !['', '0', 'false', undefined].includes(process.env[name]);
}
