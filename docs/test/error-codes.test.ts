// The page of error codes and the code unions of the packages are one list.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const sections = read('docs/reference/error-codes.md').split(/^## /m).slice(1);

test.each([
  ['@zishuo/yamux', 'packages/yamux'],
  ['@zishuo/yamux-websocket', 'packages/yamux-websocket'],
  ['@zishuo/yamux-balancer', 'packages/balancer'],
])('the page has every code of %s and no other', (name, folder) => {
  const page = sections.find((section) => section.startsWith(`${name}\n`)) ?? '';
  const onPage = Array.from(page.matchAll(/^\| `(ERR_\w+)`/gm), ([, code]) => code);
  const union = Array.from(read(`${folder}/src/errors.ts`).matchAll(/^ {2}\| '(ERR_\w+)'/gm), ([, code]) => code);
  expect(union.length).toBeGreaterThan(5);
  expect(onPage.sort()).toEqual(union.sort());
});
