// `pnpm docs:reference`: generates the reference pages of the packages from their sources.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPackages } from './exports.ts';
import { flagTables, type Program } from './flags.ts';
import { formatted } from './formatted.ts';
import { root } from './pages.ts';
import { type Package, renderPage } from './reference-page.ts';

const PACKAGES: readonly Package[] = [
  {
    folder: 'packages/yamux',
    page: 'docs/reference/yamux.md',
    intro: 'Sessions and streams over any Duplex.',
  },
  {
    folder: 'packages/yamux-websocket',
    page: 'docs/reference/yamux-websocket.md',
    intro: 'Sessions over WebSockets.',
  },
  {
    folder: 'packages/balancer',
    page: 'docs/reference/yamux-balancer.md',
    intro: 'A pool of sessions.',
  },
  {
    folder: 'packages/fleet',
    page: 'docs/reference/yamux-fleet.md',
    intro: 'Many nodes, each with a pool.',
  },
];

/** Written by hand, except for the flags. */
const PROGRAMS = 'docs/reference/tunnel.md';

function programsPage(): string {
  const text = readFileSync(join(root, PROGRAMS), 'utf8');
  return text.replace(
    /(<!-- flags: (\w+) -->)[\s\S]*?(<!-- end of flags -->)/g,
    (_all, begin: string, program: Program, end: string) => `${begin}\n\n${flagTables(program)}\n\n${end}`,
  );
}

/** The path and the formatted text of each page. */
export function referencePages(): ReadonlyMap<string, string> {
  const packages = readPackages(PACKAGES.map(({ folder }) => folder));
  const pages = PACKAGES.map((of) => [of.page, renderPage(of, packages.get(of.folder) ?? [])] as const);
  return new Map([...pages, [PROGRAMS, programsPage()] as const].map(([page, text]) => [page, formatted(page, text)]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [page, text] of referencePages()) {
    writeFileSync(join(root, page), text);
    console.log(page);
  }
}
