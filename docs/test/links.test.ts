// Links between the files of this repository lead to existing files and headings.

import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { allPages, anchorsOf, type Page, parsePage, root } from '../src/pages.ts';

const pages = allPages();

test('there are pages', () => {
  expect(pages.map(({ path }) => path)).toContain('README.md');
});

test.each(pages.map((page) => [page.path, page] as const))('%s', (_path, page) => {
  expect(broken(page)).toEqual([]);
});

test('a missing file, image or heading is found, and links in code are ignored', () => {
  const text =
    '# A `b` c!\n\n[1](no.md) [2](../README.md#no) [3](#no) [4](#a-b-c) [5](../README.md)\n<img src="no.png">\n\n```text\n[6](no.md)\n```\n';
  expect(broken(parsePage('docs/x.md', text))).toEqual(['no.md', '../README.md#no', '#no', 'no.png']);
});

test('every page can be reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const path of reached) {
    const page = pages.find((one) => one.path === path);
    for (const target of page === undefined ? [] : localLinks(page)) {
      const [file = ''] = target.split('#');
      const to = file === '' ? path : normalize(join(dirname(path), file));
      reached.add(existsSync(join(root, to, 'README.md')) ? join(to, 'README.md') : to);
    }
  }
  expect(pages.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
});

function localLinks({ prose }: Page): string[] {
  const plain = prose.replace(/`[^`\n]*`/g, '');
  const links = plain.matchAll(/\]\(([^)\s]+)\)|\bsrc(?:set)?="([^"]+)"/g);
  return Array.from(links, ([, link, image]) => (link ?? image) as string).filter((target) => !/^[a-z]+:/.test(target));
}

function broken(page: Page): string[] {
  return localLinks(page).filter((target) => {
    const [file = '', anchor] = target.split('#');
    const path = file === '' ? page.path : join(dirname(page.path), file);
    if (file !== '' && !existsSync(join(root, path))) return true;
    if (anchor === undefined) return false;
    const to = file === '' ? page : pages.find((one) => one.path === normalize(path));
    return to === undefined || !anchorsOf(to).has(anchor);
  });
}
