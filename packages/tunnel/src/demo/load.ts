// Keeps a fixed number of requests of mixed kinds and sizes in flight until it is stopped.
import { Agent } from 'node:http';
import { step } from './body.ts';
import { type Destination, type Job, type JobResult, runJob } from './job.ts';

const KIB = 1024;
const MIB = 1024 * 1024;

/** The frequency of each size, of 100. The rare large sizes have most of the bytes. */
const SIZES: readonly (readonly [share: number, size: number])[] = [
  [40, KIB],
  [26, 16 * KIB],
  [16, 256 * KIB],
  [12, MIB],
  [5, 8 * MIB],
  [1, 64 * MIB],
];
const KINDS: readonly Job['kind'][] = ['download', 'download', 'upload', 'echo'];
const SEEDS = 8;

export interface LoadOptions {
  readonly url: string;
  readonly host: string;
  readonly concurrency: number;
  readonly maxRequests: number;
}

export class Load {
  readonly results: JobResult[] = [];
  readonly #destination: Destination;
  readonly #workers: Promise<void>[];
  #left: number;
  #state = 20_261_122; // the same requests in every run
  #stopped = false;

  constructor({ url, host, concurrency, maxRequests }: LoadOptions) {
    this.#destination = { url, host, connections: new Agent({ keepAlive: true }) };
    this.#left = maxRequests;
    this.#workers = Array.from({ length: concurrency }, () => this.#work());
  }

  /** Adds one request of the caller's own beside the others. */
  add(job: Job): void {
    this.#workers.push(this.#run(job));
  }

  /** Starts no more requests; resolves when those that run have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
    this.#destination.connections.destroy();
  }

  async #work(): Promise<void> {
    while (!this.#stopped && this.#left > 0) {
      this.#left -= 1;
      await this.#run(this.#nextJob());
    }
  }

  async #run(job: Job): Promise<void> {
    this.results.push(await runJob(job, this.#destination));
  }

  #nextJob(): Job {
    const kind = KINDS[this.#random(KINDS.length)] as Job['kind'];
    return { kind, size: this.#randomSize(), seed: this.#random(SEEDS) };
  }

  #randomSize(): number {
    let point = this.#random(100);
    for (const [share, size] of SIZES) {
      point -= share;
      if (point < 0) return size;
    }
    return KIB;
  }

  #random(below: number): number {
    this.#state = step(this.#state);
    return (this.#state >>> 0) % below;
  }
}
