// Runs a program to its end, with its output on ours; anything but exit code 0 is an error.
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';

export function run(cwd: string, program: string, args: readonly string[], options: SpawnSyncOptions = {}): void {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (status !== 0) throw new Error(`failed in ${cwd}: ${program} ${args.join(' ')}`, { cause: error });
}

export function pnpm(cwd: string, ...args: readonly string[]): void {
  const cli = process.env.npm_execpath;
  if (cli === undefined) throw new Error('run this by `pnpm test:dist`: it needs to know which pnpm to call');
  run(cwd, process.execPath, [cli, ...args]);
}

/** On Windows npm is a .cmd file, which only a shell runs; every argument given here is free of spaces. */
export function npm(cwd: string, ...args: readonly string[]): void {
  // pnpm hands its own configuration to what it runs, and npm warns of every word of it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_/i.test(name)));
  run(cwd, 'npm', args, { env, shell: process.platform === 'win32' });
}
