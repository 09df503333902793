// ARCHITECTURE.md names only files that exist, and its trees have every source file of their packages.

import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { readPage, root } from '../src/pages.ts';

const { text } = readPage('ARCHITECTURE.md');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
}).split('\n');
const named = new Set(text.match(/[\w-]+(?:\.[\w-]+)*\.ts\b/g));

test('it names no file that does not exist', () => {
  const existing = new Set(files.map((file) => basename(file)));
  expect(named.size).toBeGreaterThan(100);
  expect([...named].filter((name) => !existing.has(name))).toEqual([]);
});

test.each(['yamux', 'yamux-websocket', 'balancer', 'fleet'])(
  'the tree of packages/%s has each of its files',
  (folder) => {
    const sources = files.filter((file) => file.startsWith(`packages/${folder}/src/`) && file.endsWith('.ts'));
    const untold = sources.filter((file) => !named.has(basename(file)) && !isInOpenFolder(file));
    expect(sources.length).toBeGreaterThan(20);
    expect(untold).toEqual([]);
  },
);

/** The page names these folders, and not their files. */
function isInOpenFolder(file: string): boolean {
  return /\/(?:http|testing|strategies)\//.test(file);
}
