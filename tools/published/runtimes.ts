// The JavaScript runtimes on which the packages are tried besides this one, as their packages of npm bring them. The one place where these
// versions stand.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './run.ts';

export interface Runtime {
  /** What it is called, with its version. */
  readonly title: string;
  /** Of npm. */
  readonly install: string;
  /** Below node_modules; `.exe` is added on Windows. */
  readonly executable: string;
  /** In front of the name of a program. */
  readonly args: readonly string[];
}

function node(version: string): Runtime {
  return { title: `Node ${version}`, install: `node@${version}`, executable: 'node/bin/node', args: [] };
}

/** The two ends of what `engines` promises. */
export const NODES: readonly Runtime[] = [node('20.19.0'), node('26.10.0')];

/** Those that have Node's modules, and so can do what a program for Node does. */
export const OTHERS: readonly Runtime[] = [
  { title: 'Bun 1.4.5', install: 'bun@1.4.5', executable: '.bin/bun', args: ['run'] },
  { title: 'Deno 2.9.6', install: 'deno@2.9.6', executable: '.bin/deno', args: ['run', '--allow-all'] },
];

/** The two ends of the range of `ws` that is promised: packages/yamux-websocket has it as a peer dependency. */
export const WS: readonly string[] = ['8.18.0', '8.23.0'];

/** Cloudflare's workerd, and what starts a worker in it. */
export const MINIFLARE = 'miniflare@4.20260426.0';

/** Installs `what` in `folder`, from npm's registry. Returns why that is not to be had, if so. */
export function fetchFromNpm(what: string, folder: string): string | undefined {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  try {
    npm(folder, 'install', '--no-audit', '--no-fund', what);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Returns its executable, or why it is not to be had. */
export function fetchRuntime(
  { install, executable }: Runtime,
  folder: string,
): { readonly executable: string } | { readonly missing: string } {
  const missing = fetchFromNpm(install, folder);
  if (missing !== undefined) return { missing };
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const path = join(folder, 'node_modules', ...executable.split('/')) + suffix;
  return existsSync(path) ? { executable: path } : { missing: `the package ${install} brought no executable` };
}
