// A page that was written by a program, in the form that `pnpm lint` wants.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './pages.ts';

/** `page`: its path from the root, whatever is there now. */
export function formatted(page: string, text: string): string {
  const args = [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'format', `--stdin-file-path=${page}`];
  return execFileSync(process.execPath, args, { cwd: root, input: text, encoding: 'utf8' });
}
