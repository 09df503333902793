// The two ends of what `engines` promises, as the package `node` of npm brings them. The one place where these versions stand.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './run.ts';

export const NODE_VERSIONS = ['20.19.0', '26.10.0'] as const;

/** Installs that Node in `folder`, from npm's registry. Returns its executable, or why it is not to be had. */
export function fetchNode(
  version: string,
  folder: string,
): { readonly executable: string } | { readonly missing: string } {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  try {
    npm(folder, 'install', '--no-audit', '--no-fund', `node@${version}`);
  } catch (error) {
    return { missing: (error as Error).message };
  }
  const executable = join(folder, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(executable) ? { executable } : { missing: `the package node@${version} brought no executable` };
}
