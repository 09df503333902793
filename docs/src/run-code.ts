// Runs the code of a page as a separate program in its own folder, with the sources of the packages.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { root } from './pages.ts';

export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The flags to run the programs of this repository without a build. */
export const FROM_SOURCES: readonly string[] = ['--conditions=@zishuo/source', '--import', 'tsx'];

/**
 * `files` are put beside it, by name. Its child processes also run from the sources. The folder is inside docs/, so that packages are found as
 * from docs/.
 */
export async function runCode(code: string, files: ReadonlyMap<string, string> = new Map()): Promise<Ran> {
  const folder = await mkdtemp(join(root, 'docs', '.run-'));
  try {
    for (const [name, content] of [...files, ['main.ts', code]] as const) await writeFile(join(folder, name), content);
    const env = { ...process.env, NODE_OPTIONS: FROM_SOURCES.join(' ') };
    const child = spawn(process.execPath, ['main.ts'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(child, 'close') as Promise<[number | null]>;
    const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { exitCode, stdout, stderr };
  } finally {
    await rm(folder, { recursive: true });
  }
}
