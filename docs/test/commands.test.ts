// The commands on the pages exist: the script, its flags, the version of pnpm.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type Command, commandsOf } from '../src/commands.ts';
import { allPages, parsePage, root } from '../src/pages.ts';
import { FROM_SOURCES } from '../src/run-code.ts';

interface Manifest {
  readonly packageManager?: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

const manifest = (folder: string): Manifest => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
const pages = allPages();
const { packageManager, scripts = {} } = manifest('.');

/** Commands of pnpm itself. */
const BUILT_IN = ['add', 'exec', 'install', 'publish'];

/** A script of the root, or of the package of the page. */
function scriptOf({ page, script }: Command): string | undefined {
  const folder = dirname(page);
  const own = existsSync(join(root, folder, 'package.json')) ? manifest(folder).scripts : {};
  return own?.[script] ?? scripts[script];
}

/** The --help of the programs of the tunnel. */
const helps = new Map<string, string>();
function helpOf(script: string): string {
  const [, file] = /(\S+\.ts)$/.exec(scripts[script] ?? '') ?? [];
  if (file === undefined) return readFileSync(join(root, 'bench/src/main.ts'), 'utf8');
  const known = helps.get(file);
  if (known !== undefined) return known;
  const help = execFileSync(process.execPath, [...FROM_SOURCES, join(root, file), '--help'], {
    encoding: 'utf8',
    cwd: root,
  });
  helps.set(file, help);
  return help;
}

function wrongIn(command: Command): string[] {
  const { page, version, script, flags } = command;
  const line = `${page}: pnpm ${script}`;
  const wrong: string[] = [];
  if (version !== undefined && packageManager !== `pnpm@${version}`) wrong.push(`${line}: pnpm ${version} is not ours`);
  if (BUILT_IN.includes(script)) return wrong;
  if (scriptOf(command) === undefined) return [...wrong, `${line}: no such script`];
  for (const flag of flags) {
    if (!new RegExp(`${flag}\\b(?!-)`).test(helpOf(script))) wrong.push(`${line}: no flag ${flag}`);
  }
  return wrong;
}

test.each(pages.map((page) => [page.path, page] as const))('%s', (_path, page) => {
  expect(commandsOf(page).flatMap(wrongIn)).toEqual([]);
});

test('there are commands, and wrong ones are found', () => {
  expect(pages.flatMap(commandsOf).length).toBeGreaterThan(10);
  const text =
    'Try `pnpm nonsense`, `npx pnpm@1.2.3 test`.\n\n```sh\npnpm gateway --port 0 --nonsense  # pnpm comment\n```\n';
  expect(commandsOf(parsePage('docs/x.md', text)).flatMap(wrongIn)).toEqual([
    'docs/x.md: pnpm gateway: no flag --nonsense',
    'docs/x.md: pnpm nonsense: no such script',
    'docs/x.md: pnpm test: pnpm 1.2.3 is not ours',
  ]);
});
