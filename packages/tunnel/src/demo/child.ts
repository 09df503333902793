// A gateway or an agent of the demo, in a separate process, so that a kill is a real kill.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command, Notice } from '../program.ts';

export interface ChildOptions {
  readonly program: 'gateway' | 'agent';
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Whether its log goes to our standard output. Its errors always do. */
  readonly logs: boolean;
}

export interface Started {
  readonly child: Child;
  readonly url: string;
  readonly admin: string;
}

export class Child {
  readonly #process: ChildProcess;
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** Of a gateway with workers: its processes, by number. */
  readonly workers: Map<number, number> = new Map();

  private constructor({ program, args, env, logs }: ChildOptions) {
    // fork() passes our node flags on, including the loader that runs TypeScript.
    this.#process = fork(fileURLToPath(new URL(`../${program}.ts`, import.meta.url)), args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', logs ? 'inherit' : 'ignore', 'inherit', 'ipc'],
    });
    this.#process.on('message', (notice: Notice) => {
      if (notice.type === 'worker') this.workers.set(notice.worker, notice.pid);
    });
    this.exited = once(this.#process, 'exit').then(([code, signal]) => code ?? signal);
  }

  /** Resolves when the program says that it is ready; rejects if it ends instead. */
  static async start(options: ChildOptions): Promise<Started> {
    const child = new Child(options);
    const notice = await child.#notice((candidate) => candidate.type === 'ready');
    const { url = '', admin = '' } = notice.type === 'ready' ? notice : {};
    return { child, url, admin };
  }

  /** Resolves when the command has taken effect, with the most memory, in bytes, that the process has had until then. */
  async command(command: Command): Promise<number> {
    const done = this.#notice((notice) => notice.type === 'done' && notice.command === command.type);
    this.#process.send(command);
    const notice = await done;
    return notice.type === 'done' ? notice.peakMemory : 0;
  }

  /** Kills the process with SIGKILL. Resolves when it is dead. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited;
  }

  /** Stops the process gracefully; resolves with its exit code. Does nothing if it has ended. */
  async stop(): Promise<number | string> {
    if (this.#process.connected) this.#process.send({ type: 'stop' } satisfies Command, () => {}); // it may end meanwhile
    return this.exited;
  }

  /** Sends a signal to a worker. Resolves when another process is ready in its place. */
  async replaceWorker(worker: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const back = this.#notice((notice) => notice.type === 'worker' && notice.worker === worker);
    process.kill(this.workers.get(worker) as number, signal);
    await back;
  }

  #notice(wanted: (notice: Notice) => boolean): Promise<Notice> {
    return new Promise((resolve, reject) => {
      const onMessage = (notice: Notice): void => {
        if (wanted(notice)) settle(() => resolve(notice));
      };
      const onExit = (code: number | null, signal: string | null): void => {
        settle(() => reject(new Error(`the process ended instead of answering: ${signal ?? `exit code ${code}`}`)));
      };
      const settle = (how: () => void): void => {
        this.#process.off('message', onMessage).off('exit', onExit);
        how();
      };
      this.#process.on('message', onMessage).on('exit', onExit);
    });
  }
}
