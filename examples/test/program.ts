// Runs an example as a child process, as `pnpm example` does.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
/** The arguments of the script, without `node`. */
const [, ...command]: string[] = scripts.example.split(' ');

/** `input`: the chunks to write to stdin. */
export async function run(args: readonly string[], input: readonly Uint8Array[] = []): Promise<Run> {
  const child = spawn(process.execPath, [...command, ...args], { cwd: root });
  onTestFinished(() => void child.kill('SIGKILL'));
  for (const chunk of input) child.stdin.write(chunk);
  child.stdin.end();
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, out, err };
}
