// A real engine, as a process of its own: redis-server on a socket in a folder of its own, with nothing on disk. Where there is none, tests that need
// one say so in one line and are left out; where it was asked for (CI, REQUIRE_REDIS=1), that is an error.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Says why, where it is false. */
export function hasEngine(): boolean {
  if (isOnPath('redis-server')) return true;
  const said = 'no redis-server on PATH: the directory is not tested on a real engine';
  if (isSet('CI') || isSet('REQUIRE_REDIS')) throw new Error(said);
  console.warn(`skipped: ${said}`);
  return false;
}

export class Engine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fleet-engine-'));
  #process: ChildProcess | undefined;

  /** Where it listens. */
  readonly path: string = join(this.#folder, 'socket');

  /** Resolves when it takes connections. It is empty. */
  async start(): Promise<void> {
    const options = { port: 0, unixsocket: this.path, dir: this.#folder, save: '', appendonly: 'no' };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#process = child;
    const output = child.stdout as Readable;
    const lines = createInterface(output);
    for await (const line of lines) if (line.includes('accept connections')) break;
    lines.close();
    output.resume();
  }

  /** Resolves when it has ended. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** It answers nobody. */
  stop(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
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

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function isSet(name: string): boolean {
  return !['', '0', 'false', undefined].includes(process.env[name]);
}
