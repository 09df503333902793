// The packages that are published: their folders, what may be imported of them, their tarballs, and what those must hold.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { publishedReadme } from './readme.ts';
import { npm, pnpm, run } from './run.ts';

export const root: string = dirname(dirname(import.meta.dirname));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly repository?: { readonly url: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
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

/** Where the code is, as the root's manifest says; undefined as long as it says nothing. */
export const repository: string | undefined = manifest(root).repository?.url.replace(/^git\+|[.]git$/g, '');

/** Packs every public package. Returns the tarballs' file names in `into`, each behind those that it depends on. */
export function pack(into: string): readonly string[] {
  const temporary = mkdtempSync(join(tmpdir(), 'pack-'));
  try {
    for (const folder of inOrder(publicFolders())) {
      pnpm(folder, 'pack', '--pack-destination', temporary);
      const readme = publishedReadme(readFileSync(join(folder, 'README.md'), 'utf8'), folder, root, repository);
      const unpacked = unpack(join(temporary, tarballOf(basename(folder))), temporary);
      writeFileSync(join(unpacked, 'README.md'), readme);
      npm(unpacked, 'pack', '--silent', '--pack-destination', into);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return inOrder(publicFolders()).map((folder) => tarballOf(basename(folder)));
}

function inOrder(folders: readonly string[]): readonly string[] {
  const ordered = new Set<string>();
  const place = (folder: string): void => {
    const needs = Object.keys(manifest(folder).dependencies ?? {});
    for (const other of folders) if (needs.includes(manifest(other).name)) place(other);
    ordered.add(folder);
  };
  for (const folder of folders) place(folder);
  return [...ordered];
}

/** npm knows nothing of pnpm's manifests: what it would pack in `folder` must not come to be. */
export function refusesNpm(folder: string): void {
  const { status, output } = spawnSync('npm', ['pack', '--dry-run'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status === 0 || !String(output).includes('pnpm release')) {
    throw new Error(`npm pack in ${folder} should be refused with advice, and said: ${output}`);
  }
}

/** Unpacks a tarball in a folder of its own below `into`, and returns that. */
export function unpack(tarball: string, into: string): string {
  const folder = join(into, basename(tarball, '.tgz'));
  mkdirSync(folder);
  run(folder, 'tar', ['-xzf', tarball, '--strip-components=1']);
  return folder;
}

/** What those say who know what resolvers, compilers and the registry make of a tarball. */
export function judge(tarball: string): void {
  pnpm(root, 'exec', 'publint', 'run', tarball, '--strict');
  pnpm(root, 'exec', 'attw', tarball, '--profile', 'node16', '--no-definitely-typed');
}

/** The file name of the tarball of the package in this folder of packages/. */
export function tarballOf(folder: string): string {
  const { name, version } = manifest(join(root, 'packages', folder));
  return `${name.slice(1).replace('/', '-')}-${version}.tgz`;
}

/** What npm's page and its resolver need, and nothing that only this workspace understands. */
export function checkPublished(installed: string): void {
  const text = readFileSync(join(installed, 'package.json'), 'utf8');
  const fields: Record<string, unknown> = JSON.parse(text);
  for (const leftover of ['@zishuo/source', 'workspace:', 'link:', '"scripts"', '"devDependencies"']) {
    if (text.includes(leftover)) throw new Error(`the published manifest of ${installed} says ${leftover}`);
  }
  const readme = readFileSync(join(installed, 'README.md'), 'utf8');
  const dead = readme.match(/\]\((?!https?:|#)[^)]*\)/);
  if (dead !== null) throw new Error(`the published README of ${installed} has a link that leads nowhere: ${dead[0]}`);
  const built = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' });
  for (const file of built.filter((name) => /[.]c?js$/.test(name))) {
    const renamed = readFileSync(join(installed, 'dist', file), 'utf8').match(/class _\w+/);
    // esbuild does so to a class that names itself; `this` in its static parts does without.
    if (renamed !== null) throw new Error(`stack traces would say ${renamed[0]}: dist/${file} of ${installed}`);
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
