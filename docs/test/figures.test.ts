// The figures in README.md and docs/explanation/comparison.md, and the targets in docs/explanation/performance.md, are from the last whole run
// of `pnpm bench`, in results.json: `pnpm docs:figures` writes them there.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  cellOf,
  FLEET_PAGE,
  fleetPageWith,
  PAGES_OF_CASES,
  pageOfCasesWith,
  pageWith,
  partOf,
  RESULTS,
  type Results,
  SIMULATED_FLEET,
  type SimulatedFleet,
  untoldTargets,
  wantedTargets,
} from '../src/figures.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const results = JSON.parse(read(RESULTS)) as Results;
const readme = read('README.md');
const page = read('docs/explanation/performance.md');
const [, section = ''] = readme.match(/^## Benchmarks\n([\s\S]*?)^## /m) ?? [];
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
  // The header of a column is the name of its contender, and an explanation after a comma.
  const contenders = header.slice(1).map((cell) => cell.replace(/,.*/, ''));
  expect(cells).toEqual(contenders.map((contender) => cellOf(results, title, contender)));
});

test('the sentence above the table has the machine, the version of Node and the rounds of that run', () => {
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

// The page has each measured ratio, and marks the missed targets.
test('docs/explanation/performance.md has every target of the run and its result', () => {
  const [, wanted = ''] = page.match(/^## Targets\n([\s\S]*?)^## /m) ?? [];
  const said = [...wanted.matchAll(/(\*\*)?([\d.]+) ×(?:\*\*)?\s*\|$/gm)].map(([, bold, ratio]) => ({
    ratio,
    isMet: bold === undefined,
  }));
  expect(untoldTargets(results).filter(({ isMet }) => !isMet)).toEqual([]);
  expect(said).toEqual(wantedTargets(results).map(({ ratio, isMet }) => ({ ratio: ratio?.toFixed(2), isMet })));
});

test.each(PAGES_OF_CASES)('%s is as `pnpm docs:figures` writes it', (path) => {
  const text = read(path);
  expect(text).toContain(`| ${results.cases[0]?.title}, `);
  expect(pageOfCasesWith(results, path, text)).toBe(text);
});

test('docs/explanation/performance.md is as `pnpm docs:figures` writes it', () => {
  expect(pageWith(results, page)).toBe(page);
});

test('docs/explanation/fleet.md has the figures of `pnpm simulate fleet`, as `pnpm docs:figures` writes them', () => {
  const simulated = JSON.parse(read(SIMULATED_FLEET)) as SimulatedFleet;
  const text = read(FLEET_PAGE);
  const { agents, gateways, requestsPerSecond, scenarios } = simulated;
  expect(scenarios).toHaveLength(4);
  for (const said of [agents, gateways, requestsPerSecond]) expect(text).toContain(said.toLocaleString('en-US'));
  expect(fleetPageWith(simulated, text)).toBe(text);
});

test('the tunnel figures of a run come between the marks of the page, and a missed target is bold', () => {
  const figure = { name: 'tunnel-small', title: 'small answers', unit: 'requests/s' };
  const measured = [
    { implementation: 'ours', median: 1234 },
    { implementation: 'two proxies', median: 1000 },
    { implementation: 'a peer' },
  ];
  const target = { figure: figure.name, contender: 'ours', against: { contender: 'two proxies' }, ratio: 1.234 };
  const run = {
    ...results,
    cases: [{ ...figure, results: measured }],
    targets: [
      { ...target, atLeast: 1.2, isMet: true },
      { ...target, atLeast: 1.3, isMet: false },
    ],
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
