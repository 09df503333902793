// The README's table of options is the options.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resolveOptions } from '../src/session/options.ts';
import { WindowBudget } from '../src/stream/window-budget.ts';

test('the README has every option with its default, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, options = ''] = readme.split('\n## Options\n');
  const [section = ''] = options.split('\n## ');
  const rows = Array.from(section.matchAll(/^\| `(\w+)` +\| (\w+)/gm), ([, name, byDefault]) => [name, byDefault]);
  const resolved = Object.entries(resolveOptions()).map(([name, value]) => {
    if (name === 'clock') return [name, 'system'];
    return [name, String(value instanceof WindowBudget ? value.size : value)];
  });
  expect(rows.sort()).toEqual(resolved.sort());
});
