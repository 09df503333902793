// The programs as processes of their own, from the sources.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Notice } from '../../src/program.ts';

export type Program = 'gateway' | 'agent' | 'demo';

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of node itself. */
  readonly node?: readonly string[];
  /** A descriptor to take for standard output, which is closed here; else it is a pipe to this process. */
  readonly stdout?: number;
  /** How many descriptors it may have. */
  readonly descriptors?: number;
}

const NO_SECRETS = { TUNNEL_SECRET: '', TUNNEL_TOKEN: '', TUNNEL_ADMIN_TOKEN: '' };

/** It is killed when the test is over. */
export function start(program: Program, args: readonly string[], options: StartOptions = {}): ChildProcess {
  const { env = {}, node = [], stdout = 'pipe', descriptors } = options;
  const file = fileURLToPath(new URL(`../../src/${program}.ts`, import.meta.url));
  const command = [process.execPath, ...node, '--conditions=@zishuo/source', '--import', 'tsx', file, ...args];
  if (descriptors !== undefined) command.unshift('sh', '-c', 'ulimit -n "$0" && exec "$@"', String(descriptors));
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, ...NO_SECRETS, ...env },
    stdio: ['ignore', stdout, 'pipe', 'ipc'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Resolves when it has ended by itself, or by a signal. */
export async function finished(child: ChildProcess): Promise<Run> {
  const [out, err, [code]] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    text(child.stderr as Readable),
    once(child, 'exit'),
  ]);
  return { code, out, err };
}

export type Ready = Notice & { readonly type: 'ready' };

/** Resolves when it says that it is ready. */
export async function ready(child: ChildProcess): Promise<Ready> {
  const ended = once(child, 'exit').then(async ([code]) => {
    throw new Error(`the program ended with ${code}: ${await text(child.stderr as Readable)}`);
  });
  const told = new Promise<Ready>((resolve) => {
    const onNotice = (notice: Notice): void => {
      if (notice.type !== 'ready') return; // each worker of a gateway is told of first
      child.off('message', onNotice);
      resolve(notice);
    };
    child.on('message', onNotice);
  });
  const notice = await Promise.race([told, ended]);
  ended.catch(() => {}); // from now on its end is the test's business
  return notice;
}

/** Resolves with the peak of its memory (bytes): it lives, and its event loop turns. */
export async function measure(child: ChildProcess): Promise<number> {
  child.send({ type: 'measure' });
  const [notice] = (await once(child, 'message')) as [Notice];
  if (notice.type !== 'done') throw new Error(`expected the program to answer, it said ${notice.type}`);
  return notice.peakMemory;
}

export type LogLine = Readonly<Record<string, unknown>>;

/** What it logs, line by line. */
export class Logged {
  readonly lines: LogLine[] = [];
  #heard = (): void => {};
  #taken = 0;

  constructor(child: ChildProcess) {
    createInterface(child.stdout as Readable).on('line', (line) => {
      if (!line.startsWith('{')) return; // what is for people
      this.lines.push(JSON.parse(line) as LogLine);
      this.#heard();
    });
  }

  /** The next line of this event, behind that of the call before. Only the test's own time limit ends the wait. */
  async next(event: string): Promise<LogLine> {
    for (;;) {
      for (; this.#taken < this.lines.length; this.#taken += 1) {
        const line = this.lines[this.#taken] as LogLine;
        if (line.event !== event) continue;
        this.#taken += 1;
        return line;
      }
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  of(event: string): readonly LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }
}
