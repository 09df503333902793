// The engine of the demo's fleet: a redis-server without persistence.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { freePorts } from './free-ports.ts';

const PROGRAM = 'redis-server';

export class Engine {
  readonly url: string;
  readonly #port: number;
  #process: ChildProcess | undefined;

  /** Undefined where the machine has none. */
  static async start(): Promise<Engine | undefined> {
    if (spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).error !== undefined) return undefined;
    const [port = 0] = await freePorts(1);
    const engine = new Engine(port);
    await engine.begin();
    return engine;
  }

  private constructor(port: number) {
    this.#port = port;
    this.url = `redis://127.0.0.1:${port}`;
  }

  /** Resolves when it takes connections. It is empty. */
  async begin(): Promise<void> {
    const options = { port: this.#port, bind: '127.0.0.1', save: '', appendonly: 'no' };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    const output = child.stdout as Readable;
    const lines = createInterface(output);
    for await (const line of lines) if (line.includes('accept connections')) break;
    lines.close();
    output.resume();
  }

  /** It answers nobody, until resume(). */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Resolves when it is dead, with all that it held. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
