// The packages that are published: their folders, what may be imported of them, their tarballs, and what those must hold.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pnpm } from './run.ts';

export const root: string = dirname(dirname(import.meta.dirname));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

export function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

export function publicFolders(): readonly string[] {
  const folders = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
  return folders.filter((folder) => manifest(folder).private !== true);
}

/** Of each pattern among the subpaths of exports, a name that fits it. */
const NAMES_OF_PATTERNS: Readonly<Record<string, string>> = { './lib/*': './lib/session.js' };

/** What a consumer may import: every package, and every subpath of its exports. */
export function entries(): readonly string[] {
  return publicFolders().flatMap((folder) => {
    const { name, exports = {} } = manifest(folder);
    const subpaths = Object.keys(exports).filter((subpath) => subpath !== './package.json');
    return subpaths.map((subpath) => name + (NAMES_OF_PATTERNS[subpath] ?? subpath).slice(1));
  });
}

/** Packs every public package. Returns the tarballs' file names in `into`. */
export function pack(into: string): readonly string[] {
  for (const folder of publicFolders()) pnpm(folder, 'pack', '--pack-destination', into);
  return readdirSync(into).filter((name) => name.endsWith('.tgz'));
}

/** The file name of the tarball of the package in this folder of packages/. */
export function tarballOf(folder: string): string {
  const { name, version } = manifest(join(root, 'packages', folder));
  return `${name.slice(1).replace('/', '-')}-${version}.tgz`;
}

/** What npm's page and its resolver need, and nothing that only this workspace understands. */
export function checkPublished(installed: string): void {
  // Scripts are run in this workspace only, whatever they say.
  const { scripts, ...fields }: Record<string, unknown> = JSON.parse(
    readFileSync(join(installed, 'package.json'), 'utf8'),
  );
  const text = JSON.stringify(fields);
  for (const leftover of ['@zishuo/source', 'workspace:', 'link:']) {
    if (text.includes(leftover)) throw new Error(`the published manifest of ${installed} says ${leftover}`);
  }
  const missing = ['description', 'keywords', 'license', 'engines', 'sideEffects', 'exports', 'types'].filter(
    (field) => fields[field] === undefined,
  );
  if (missing.length > 0) throw new Error(`the published manifest of ${installed} lacks ${missing.join(', ')}`);
  const files = readdirSync(installed).sort().join(' ');
  if (files !== 'LICENSE README.md dist package.json') {
    throw new Error(`${installed} should publish LICENSE, README.md, dist and package.json, and has: ${files}`);
  }
}
