// The processes of one subject in one case, and the folder for their output. When one of them dies, all waits end.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownProgram } from '../programs.ts';

const LOOK_MS = 20;
const PATIENCE_MS = 30_000;

export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** The file with its stdout and stderr. */
  readonly log: string;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Whether to exchange lines with it; otherwise its output goes to its log. */
  readonly isSpokenWith?: boolean;
}

export class Children {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'bench-tunnel-'));
  readonly #all: Child[] = [];
  readonly #expected = new Set<ChildProcess>();
  #fail!: (error: Error) => void;
  /** Rejects when a process has died unexpectedly. */
  readonly #died = new Promise<never>((_resolve, reject) => {
    this.#fail = reject;
  });

  constructor() {
    this.#died.catch(() => {}); // who waits for something hears it
  }

  start(name: string, command: string, args: readonly string[], options: StartOptions = {}): Child {
    const log = join(this.folder, `${name}-${this.#all.length}.log`);
    const file = openSync(log, 'a');
    // To a file, as under a service manager: no slow reader delays it, and no process is busy with it.
    const stdio: StdioOptions = options.isSpokenWith === true ? ['pipe', 'pipe', file] : ['ignore', file, file];
    const child = spawn(command, args, { stdio, env: { ...process.env, ...options.env } });
    closeSync(file);
    child.on('error', (error) => this.#fail(error));
    child.on('exit', (code, signal) => {
      if (this.#expected.has(child)) return;
      this.#fail(new Error(`${name} ended with ${signal ?? `code ${code}`}${lastWords(log)}`));
    });
    const started = { pid: child.pid ?? 0, process: child, log };
    this.#all.push(started);
    return started;
  }

  /** Starts one of our programs. */
  startOwn(program: string, args: readonly string[], options?: StartOptions): Child {
    return this.start(program, process.execPath, [...ownProgram(program), ...args], options);
  }

  /** Writes a file, for programs that read their configuration from one. */
  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Settles as `promise`, or rejects when a process dies. */
  alive<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#died]);
  }

  /** Polls until `is` returns true. */
  async until(what: string, is: () => boolean | Promise<boolean>, patienceMs: number = PATIENCE_MS): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (!(await this.alive(Promise.resolve(is())))) {
      if (performance.now() > deadline) throw new Error(`${what}: not within ${patienceMs / 1000} s`);
      await this.alive(sleep(LOOK_MS));
    }
  }

  /** Waits until a process listens on the port. */
  listening(port: number): Promise<void> {
    return this.until(`port ${port} takes connections`, () => takesConnections(port));
  }

  /** Waits until the whole path works: there is a response with status 200. */
  served(url: string, host: string): Promise<void> {
    return this.until(`${url} answers`, async () => (await statusOf(url, host)) === 200);
  }

  async kill({ process: child }: Child): Promise<void> {
    this.#expected.add(child);
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async end(): Promise<void> {
    await Promise.all(this.#all.map((child) => this.kill(child)));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function lastWords(log: string): string {
  const last = readFileSync(log, 'utf8').trim().split('\n').at(-1);
  return last ? `: ${last}` : '';
}

/** A free port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.on('connect', () => settle(true)).on('error', () => settle(false));
  });
}

function statusOf(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const options = { headers: { host }, agent: false as const, timeout: PATIENCE_MS };
    const path = new URL('/bytes/1', url);
    const request =
      path.protocol === 'https:'
        ? httpsRequest(path, { ...options, rejectUnauthorized: false })
        : httpRequest(path, options);
    request.on('response', (response) => {
      response.resume().on('close', () => resolve(response.statusCode));
    });
    request.on('error', () => resolve(undefined)).end();
  });
}
