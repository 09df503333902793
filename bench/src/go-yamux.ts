// Yamux as its inventors wrote it, between two Go programs: bench/go, built when it is wanted.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Program } from './implementation.ts';

const run = promisify(execFile);

/** Both src and dist lie beside them. */
const source = fileURLToPath(new URL('../go', import.meta.url));
const suffix = process.platform === 'win32' ? '.exe' : '';
const executable = fileURLToPath(new URL(`../node_modules/.cache/go-yamux${suffix}`, import.meta.url));

export const goYamux: Program = {
  name: 'hashicorp/yamux',
  version: 'v0.1.2',
  note: 'Go to Go: one session over one net.TCPConn, default options, blocking reads and writes in a goroutine per stream',
  executable,
};

/** Resolves with why it cannot be built here, in one line; with undefined when it was. */
export async function buildGoYamux(): Promise<string | undefined> {
  try {
    await run('go', ['build', '-buildvcs=false', '-o', executable, '.'], { cwd: source });
    return undefined;
  } catch (error) {
    const { code, stderr } = error as { readonly code?: string | number; readonly stderr?: string };
    return code === 'ENOENT' ? "there is no 'go'" : (stderr?.trim().split('\n').join('; ') ?? String(error));
  }
}
