// Formats a generated page as `pnpm lint` requires.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './pages.ts';

/** `page` is its path from the root; the file need not exist. */
export function formatted(page: string, text: string): string {
  const args = [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'format', `--stdin-file-path=${page}`];
  return execFileSync(process.execPath, args, { cwd: root, input: text, encoding: 'utf8' });
}
