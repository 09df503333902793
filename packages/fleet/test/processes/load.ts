// Clients that ask without a pause, each at its node, and check every answer by its hash. A client sends nothing of its request before it is told that an
// agent has taken it; where its node dies before, it asks another one, as behind any load balancer.
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { NodeProcess } from './node-process.ts';

export interface Outcome {
  readonly name: string;
  readonly at: NodeProcess;
  /** `'ok'`, the code of an error, `'cut before'` or `'cut behind'` an agent had taken it, or `'wrong hash'`. */
  readonly result: string;
  /** `performance.now()` */
  readonly from: number;
  readonly ms: number;
}

const SIZES: readonly number[] = [1, 1_000, 40_000];

export class Load {
  readonly outcomes: Outcome[] = [];
  readonly #running: Promise<void>[] = [];
  #isOver = false;

  /** `clients` at each node, that ask for these names in turn. `entries`: nodes that clients are sent to. */
  constructor(
    nodes: readonly NodeProcess[],
    names: readonly string[],
    entries: () => readonly NodeProcess[],
    clients = 2,
  ) {
    for (const node of nodes) {
      for (let n = 0; n < clients; n += 1) this.#running.push(this.#ask(node, names, n, entries));
    }
  }

  /** What has not been served, and what a hash did not match; a client that was cut off before found another way. */
  get lost(): string[] {
    return this.outcomes
      .filter(({ result }) => result !== 'ok')
      .map(({ name, at, result }) => `${name} at ${at.name}: ${result}`);
  }

  /** ms of the slowest that began behind that moment. */
  slowest(since: number): number {
    return Math.max(0, ...this.outcomes.filter(({ from, ms }) => from + ms >= since).map(({ ms }) => ms));
  }

  /** Resolves when each client has had so many answers more. */
  async more(answers: number): Promise<void> {
    const until = this.outcomes.length + answers * this.#running.length;
    while (this.outcomes.length < until) await pause(5);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  async #ask(
    own: NodeProcess,
    names: readonly string[],
    first: number,
    entries: () => readonly NodeProcess[],
  ): Promise<void> {
    for (let n = first; !this.#isOver; n += 1) {
      const open = entries();
      const at = open.includes(own) ? own : (open[n % open.length] as NodeProcess);
      const name = names[n % names.length] as string;
      const outcome = await ask(at, name, n % 2 === 0 ? '' : `key-${n % 7}`, SIZES[n % SIZES.length] as number);
      if (outcome.result === 'cut before' && !entries().includes(at)) continue;
      this.outcomes.push(outcome);
    }
  }
}

export function ask(at: NodeProcess, name: string, key = '', size = 100): Promise<Outcome> {
  const from = performance.now();
  const body = randomBytes(size);
  return new Promise((resolve) => {
    if (!at.isRunning) return resolve({ name, at, result: 'cut before', from, ms: 0 });
    const socket = connect({ port: at.ports.clients, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    let text = '';
    let isTaken = false;
    socket.on('error', () => {});
    socket.write(`${name} ${key}\n`);
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (isTaken || !text.startsWith('ok\n')) return;
      isTaken = true;
      socket.end(body);
    });
    socket.once('end', () => socket.end());
    socket.once('close', () =>
      resolve({ name, at, result: resultOf(text, isTaken, body), from, ms: performance.now() - from }),
    );
  });
}

function resultOf(text: string, isTaken: boolean, body: Buffer): string {
  if (!isTaken) return text.endsWith('\n') ? text.trim() : 'cut before';
  const answer = text.slice('ok\n'.length);
  if (answer === createHash('sha256').update(body).digest('hex')) return 'ok';
  return answer.length < 64 ? 'cut behind' : 'wrong hash';
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
