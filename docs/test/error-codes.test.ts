// The page of error codes has the codes of the packages and no other, and no page names a code that does not exist.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allPages } from '../src/pages.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const sections = read('docs/reference/error-codes.md').split(/^## /m).slice(1);

const FOLDERS = [
  'packages/yamux',
  'packages/yamux-websocket',
  'packages/balancer',
  'packages/fleet',
  'packages/tunnel',
];

test('every code of ours on any page is in the sources', () => {
  const inSources = FOLDERS.flatMap((folder) => read(`${folder}/src/errors.ts`).match(/\bERR_[A-Z_]+\b/g) ?? []);
  const known = new Set<string>(inSources);
  const wrong = allPages().flatMap(({ path, text }) =>
    (text.match(/\bERR_(YAMUX|TUNNEL)_[A-Z_]*[A-Z]\b/g) ?? [])
      .filter((code) => !known.has(code))
      .map((code) => `${path}: ${code}`),
  );
  expect(wrong).toEqual([]);
});

test.each([
  ['@zishuo/yamux', 'packages/yamux'],
  ['@zishuo/yamux-websocket', 'packages/yamux-websocket'],
  ['@zishuo/yamux-balancer', 'packages/balancer'],
  ['@zishuo/yamux-fleet', 'packages/fleet'],
])('the page has every code of %s and no other', (name, folder) => {
  const page = sections.find((section) => section.startsWith(`${name}\n`)) ?? '';
  const onPage = Array.from(page.matchAll(/^\| `(ERR_\w+)`/gm), ([, code]) => code);
  const union = Array.from(read(`${folder}/src/errors.ts`).matchAll(/^ {2}\| '(ERR_\w+)'/gm), ([, code]) => code);
  expect(union.length).toBeGreaterThan(5);
  expect(onPage.sort()).toEqual(union.sort());
});
