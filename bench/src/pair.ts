// A server and a client, each a process of its own, for one implementation in one case: nothing that another one has left behind, in the
// heap or in what the compiler learned, reaches it. They live through all rounds, because it takes them long to get warm: see WARM_UP_MS.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Case } from './case.ts';
import type { Message } from './child.ts';
import type { Implementation } from './implementation.ts';

/**
 * Until V8 has optimized both ends they run at a tenth of their speed or less. Seen in open-echo-close on two busy cores: @zishuo/yamux
 * goes from 4 to 80 streams/ms after 0.6 s, node:http2 from 2 to 15 after 1.5 s. Figures taken before that say little but when it happened.
 */
export const WARM_UP_MS = 3000;
export const ROUND_MS = 1500;
/** ms past the load itself that it may take to start, to drain and to answer. */
const PATIENCE_MS = 10_000;

export type Outcome = { readonly figure: number } | { readonly failure: string };

export class Pair {
  readonly #children: ChildProcess[] = [];
  readonly #args: readonly string[];
  #client: ChildProcess | undefined;
  #failure: { readonly failure: string } | undefined;
  #loadMs: number | undefined;
  #settle: ((outcome: Outcome) => void) | undefined;

  constructor(implementation: Implementation, benchCase: Case) {
    this.#args = [implementation.name, benchCase.name];
    this.#start('server');
  }

  /** Never rejects; after a failure every outcome is that failure. One at a time. */
  async drive(ms: number): Promise<Outcome> {
    if (this.#failure !== undefined) return this.#failure;
    const limit = ms + PATIENCE_MS;
    const patience = setTimeout(() => this.#fail(`no figure within ${limit / 1000} s`), limit);
    const outcome = new Promise<Outcome>((resolve) => {
      this.#settle = resolve;
    });
    this.#loadMs = ms;
    this.#client?.send(ms);
    try {
      return await outcome;
    } finally {
      clearTimeout(patience);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#children.map(kill));
  }

  #start(program: 'server' | 'client', ...numbers: readonly number[]): ChildProcess {
    // The build lays the programs side by side. Without our execArgv: what is measured is plain Node.
    const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
    const child = fork(path, [...this.#args, ...numbers.map(String)], { execArgv: [] });
    this.#children.push(child);
    child.on('message', (message: Message) => this.#receive(message));
    child.on('error', (error) => this.#fail(error.message));
    child.on('exit', (code, signal) => this.#fail(`the ${program} ended with ${signal ?? `code ${code}`}`));
    return child;
  }

  #receive(message: Message): void {
    if ('failure' in message) this.#fail(message.failure);
    else if ('figure' in message) this.#settle?.(message);
    else {
      this.#client = this.#start('client', message.port);
      if (this.#loadMs !== undefined) this.#client.send(this.#loadMs);
    }
  }

  /** The first one counts: others follow from it. */
  #fail(failure: string): void {
    this.#failure ??= { failure };
    this.#settle?.(this.#failure);
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
