// A server process and a client process for one contender in one case, so that the heap and the compiled code of other contenders
// do not affect it. They live through all rounds, because their warm-up takes long: see WARM_UP_MS.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Case } from './case.ts';
import type { Message } from './child.ts';
import type { Contender, Program } from './implementation.ts';
import { ownProgram } from './programs.ts';
import type { Drivable, Outcome } from './rounds.ts';

/** The time for start, preparation, drain and answer, in ms, in addition to the load. */
const PATIENCE_MS = 40_000;

type Role = 'server' | 'relay' | 'client';

export class Pair implements Drivable {
  readonly #children: ChildProcess[] = [];
  readonly #contender: Contender | Program;
  readonly #case: Case;
  /** Each process gets the port of the one before. */
  readonly #toStart: Role[];
  #client: ChildProcess | undefined;
  #failure: { readonly failure: string } | undefined;
  #loadMs: number | undefined;
  #settle: ((outcome: Outcome) => void) | undefined;

  constructor(contender: Contender | Program, benchCase: Case) {
    this.#contender = contender;
    this.#case = benchCase;
    this.#toStart = benchCase.link === undefined ? ['server', 'client'] : ['server', 'relay', 'client'];
    this.#startNext(0);
  }

  /** Never rejects. After a failure every outcome is that failure. Call it once at a time. */
  async drive(ms: number): Promise<Outcome> {
    if (this.#failure !== undefined) return this.#failure;
    const limit = ms + PATIENCE_MS;
    const patience = setTimeout(() => this.#fail(`no figure within ${limit / 1000} s`), limit);
    const outcome = new Promise<Outcome>((resolve) => {
      this.#settle = resolve;
    });
    this.#loadMs = ms;
    this.#load();
    try {
      return await outcome;
    } finally {
      clearTimeout(patience);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#children.map(kill));
  }

  #startNext(port: number): void {
    const role = this.#toStart.shift();
    if (role === undefined) return;
    const [program, ...args] = this.#command(role, port);
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.push(child);
    child.on('error', (error) => this.#fail(error.message));
    child.on('exit', (code, signal) => this.#fail(`the ${role} ended with ${signal ?? `code ${code}`}`));
    child.stdin.on('error', () => {}); // it has ended
    createInterface({ input: child.stdout }).on('line', (line) => this.#receive(line));
    if (role !== 'client') return;
    this.#client = child;
    if (this.#loadMs !== undefined) this.#load();
  }

  #command(role: Role, port: number): [string, ...string[]] {
    if ('executable' in this.#contender && role !== 'relay') {
      return [this.#contender.executable, role, JSON.stringify(this.#case.load), String(port)];
    }
    // Without our execArgv, because plain Node is measured.
    return [process.execPath, ...ownProgram(role), this.#contender.name, this.#case.name, String(port)];
  }

  #load(): void {
    this.#client?.stdin?.write(`${this.#loadMs}\n`);
  }

  #receive(line: string): void {
    const message = JSON.parse(line) as Message;
    if ('failure' in message) this.#fail(message.failure);
    else if ('figures' in message) this.#settle?.(message);
    else this.#startNext(message.port);
  }

  /** Keeps the first failure: later ones follow from it. */
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
