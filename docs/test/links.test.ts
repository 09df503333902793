// Links between the files of this repository lead somewhere.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root });
const pages = listed.toString().split('\n').filter(Boolean);

test('there are pages', () => {
  expect(pages).toContain('README.md');
});

test.each(pages)('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const targets = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target as string);
  const local = targets.filter((target) => !/^[a-z]+:/.test(target) && !target.startsWith('#'));
  const missing = local.filter((target) => !existsSync(join(root, dirname(page), target.replace(/#.*/, ''))));
  expect(missing).toEqual([]);
});
