// The parent of several gateways on one machine. They share its ports (node:cluster), and find each other in a directory in its memory. It serves no
// requests. A worker that dies is started again. A worker that cannot start ends all processes, with its exit code.
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { memoryDirectory, type SessionDirectory } from '@zishuo/yamux-fleet';
import type { Log } from '../log.ts';
import type { Command, Notice } from '../program.ts';
import { hostDirectory } from './directory-host.ts';

/** Which worker this process is, from 1 on, in its environment. */
const WORKER = 'TUNNEL_WORKER';

/** The secret by which the workers of one machine recognize each other, in their environment. */
export const WORKERS_SECRET = 'TUNNEL_WORKERS_SECRET';

/** The worker that this process is; undefined for none. */
export function workerNumber(): number | undefined {
  return cluster.isWorker && process.env[WORKER] !== undefined ? Number(process.env[WORKER]) : undefined;
}

export interface WorkersOptions {
  readonly count: number;
  /** Of each, besides that of this process. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Told of each that has become ready. */
  readonly onReady: (worker: number, pid: number) => void;
}

/** ms before a worker that died is started again: the next time after a short life twice as many. */
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;
/** ms of a life that is not short. */
const LONG_LIFE = 10_000;

type Ready = Extract<Notice, { type: 'ready' }>;

export class Workers {
  readonly #options: WorkersOptions;
  readonly #directory: SessionDirectory = memoryDirectory();
  readonly #running = new Map<number, Worker>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isStopping = false;

  /** Resolves when all are ready; rejects when one ends before. */
  static async start(
    options: WorkersOptions,
  ): Promise<{ readonly workers: Workers; readonly ready: readonly Ready[] }> {
    const workers = new Workers(options);
    const numbers = Array.from({ length: options.count }, (_, index) => index + 1);
    try {
      return { workers, ready: await Promise.all(numbers.map((number) => workers.#begin(number, SHORTEST_PAUSE))) };
    } catch (error) {
      await workers.stop();
      throw error;
    }
  }

  private constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** To each. */
  send(command: Command): void {
    for (const worker of this.#running.values()) if (worker.isConnected()) worker.send(command);
  }

  /** Files are read again, by each. */
  reload(): void {
    for (const { process: child } of this.#running.values()) child.kill('SIGHUP');
  }

  /** Stops all processes gracefully. Resolves when all have ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.send({ type: 'stop' });
    await Promise.all(
      Array.from(this.#running.values(), (worker) => (worker.isDead() ? undefined : once(worker, 'exit'))),
    );
    await this.#directory.close();
  }

  /** `pause`: how long to wait after an early end. */
  async #begin(number: number, pause: number): Promise<Ready> {
    const { env, log, onReady } = this.#options;
    const worker = cluster.fork({ ...env, [WORKER]: String(number) });
    const started = performance.now();
    this.#running.set(number, worker);
    const forget = hostDirectory(this.#directory, worker);
    const ended = once(worker, 'exit') as Promise<[code: number | null, signal: string | null]>;
    log('worker started', { worker: number, pid: worker.process.pid });
    let isReady = false;
    void ended.then(([code, signal]) => {
      forget();
      this.#running.delete(number);
      if (!this.#isStopping) log('worker ended', { worker: number, code, signal });
      if (isReady) this.#again(number, performance.now() - started < LONG_LIFE ? pause : 0);
    });
    const ready = await Promise.race([readiness(worker), ended]);
    if (Array.isArray(ready))
      throw Object.assign(new Error(`worker ${number} ended before it was ready`), { exitCode: ready[0] });
    isReady = true;
    onReady(number, worker.process.pid ?? 0);
    return ready;
  }

  #again(number: number, pause: number): void {
    if (this.#isStopping) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const next = Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, pause * 2));
      this.#begin(number, next).catch(() => this.#again(number, next));
    }, pause);
    this.#timers.add(timer);
  }
}

function readiness(worker: Worker): Promise<Ready> {
  return new Promise((resolve) => {
    worker.on('message', (notice: Notice) => {
      if (notice.type === 'ready') resolve(notice);
    });
  });
}
