// The figures in README.md, and the targets in docs/explanation/performance.md, are those of the last whole run of `pnpm bench`, which wrote
// results.json: `pnpm docs:figures` puts them there.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  cellOf,
  pageWith,
  partOf,
  RESULTS,
  type Results,
  readmeWith,
  untoldTargets,
  wantedTargets,
} from '../src/figures.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const results = JSON.parse(read(RESULTS)) as Results;
const readme = read('README.md');
const page = read('docs/explanation/performance.md');
const [, section = ''] = readme.match(/^## How fast\n([\s\S]*?)^## /m) ?? [];
const [header = [], , ...rows] = section
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test('there is a table of figures', () => {
  expect(rows.length).toBeGreaterThan(0);
  expect(header.length).toBeGreaterThan(2);
});

test.each(rows.map(([title = '', ...cells]) => ({ title, cells })))('$title', ({ title, cells }) => {
  // A column is named after its contender; what follows a comma explains.
  const contenders = header.slice(1).map((cell) => cell.replace(/,.*/, ''));
  expect(cells).toEqual(contenders.map((contender) => cellOf(results, title, contender)));
});

test('the sentence above the table names the machine, Node and the rounds of that run', () => {
  const { machine, method } = results;
  const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
  for (const said of [
    machine.cpu,
    `Node ${machine.node}`,
    `medians of ${words[method.rounds] ?? method.rounds} rounds`,
  ]) {
    expect(section.replaceAll('\n', ' ')).toContain(said);
  }
});

// The page says each ratio that was measured, and marks what was missed.
test('docs/explanation/performance.md tells every target of the run, and what became of it', () => {
  const [, wanted = ''] = page.match(/^## What was wanted\n([\s\S]*?)^## /m) ?? [];
  const said = [...wanted.matchAll(/(\*\*)?([\d.]+) ×(?:\*\*)?\s*\|$/gm)].map(([, bold, ratio]) => ({
    ratio,
    isMet: bold === undefined,
  }));
  expect(untoldTargets(results).filter(({ isMet }) => !isMet)).toEqual([]);
  expect(said).toEqual(wantedTargets(results).map(({ ratio, isMet }) => ({ ratio: ratio?.toFixed(2), isMet })));
});

test('both are as `pnpm docs:figures` writes them', () => {
  expect(readmeWith(results, readme)).toBe(readme);
  expect(pageWith(results, page)).toBe(page);
});

test('what a run measures of the tunnel comes between the marks of the page, and a missed target stands out', () => {
  const figure = { name: 'tunnel-small', title: 'small answers', unit: 'requests/s' };
  const measured = [
    { implementation: 'ours', median: 1234 },
    { implementation: 'two proxies', median: 1000 },
    { implementation: 'a peer' },
  ];
  const target = { figure: figure.name, contender: 'ours', against: { contender: 'two proxies' }, ratio: 1.234 };
  const run = {
    ...results,
    cases: [...results.cases, { ...figure, results: measured }],
    targets: [...results.targets, { ...target, atLeast: 1.2, isMet: true }, { ...target, atLeast: 1.3, isMet: false }],
  };
  const cells = partOf('tunnel', pageWith(run, page))
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.replace(/ +/g, ' '));
  expect(cells.filter((line) => !line.includes('---'))).toEqual([
    '| case | ours | two proxies | a peer |',
    '| small answers, requests/s | 1,234 | 1,000 | fails |',
    '| case | against | wanted | reached |',
    '| small answers: ours | two proxies | 1.2 × | 1.23 × |',
    '| small answers: ours | two proxies | 1.3 × | **1.23 ×** |',
  ]);
});
