// The figures in README.md, and the targets in docs/explanation/performance.md, are those of the last whole run of `pnpm bench`, which wrote
// results.json.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Results {
  readonly targets: readonly {
    readonly figure: string;
    readonly contender: string;
    readonly ratio: number;
    readonly isMet: boolean;
  }[];
  readonly machine: { readonly cpu: string; readonly node: string };
  readonly method: { readonly rounds: number };
  readonly cases: readonly {
    readonly title: string;
    readonly unit: string;
    readonly results: readonly { readonly implementation: string; readonly median?: number }[];
  }[];
}

const results = JSON.parse(read('docs/benchmarks/results.json')) as Results;
const [, section = ''] = read('README.md').match(/^## How fast\n([\s\S]*?)^## /m) ?? [];
const [header = [], , ...rows] = section
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

/** As the bench prints a figure: three digits that mean something, and no fraction of what is in the hundreds. */
function printed(figure: number): string {
  return figure >= 100 ? Math.round(figure).toLocaleString('en-US') : figure.toPrecision(3);
}

/** What may stand in a cell: some contenders have no figure. */
function expected(title: string, contender: string): string | undefined {
  const measured = results.cases.find((one) => `${one.title}, ${one.unit}` === title);
  expect(measured, `a case of results.json with the title and the unit '${title}'`).toBeDefined();
  const result = measured?.results.find(({ implementation }) => implementation === contender);
  if (result === undefined) return '';
  return result.median === undefined ? 'fails' : printed(result.median);
}

test('there is a table of figures', () => {
  expect(rows.length).toBeGreaterThan(0);
  expect(header.length).toBeGreaterThan(2);
});

test.each(rows.map(([title = '', ...cells]) => ({ title, cells })))('$title', ({ title, cells }) => {
  // A column is named after its contender; what follows a comma explains.
  const contenders = header.slice(1).map((cell) => cell.replace(/,.*/, ''));
  expect(cells).toEqual(contenders.map((contender) => expected(title, contender)));
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
  const page = read('docs/explanation/performance.md');
  const [, wanted = ''] = page.match(/^## What was wanted\n([\s\S]*?)^## /m) ?? [];
  const said = [...wanted.matchAll(/(\*\*)?([\d.]+) ×(?:\*\*)?\s*\|$/gm)].map(([, bold, ratio]) => ({
    ratio,
    isMet: bold === undefined,
  }));
  const isLeftOut = ({ figure }: { readonly figure: string }): boolean =>
    figure.startsWith('balancer-') || figure === 'web-socket-masked';
  const told = results.targets.filter((target) => !isLeftOut(target));
  expect(results.targets.filter((target) => isLeftOut(target) && !target.isMet)).toEqual([]);
  const slowest = results.targets
    .filter(
      ({ figure, contender }) =>
        figure === 'balancer-pick-100' && !['weighted', 'rendezvous', 'peak-ewma'].includes(contender),
    )
    .reduce((one, other) => (one.ratio < other.ratio ? one : other));
  const weighted = results.targets.find(({ contender }) => contender === 'weighted');
  expect(said).toEqual(
    [...told, slowest, weighted].map((target) => ({ ratio: target?.ratio.toFixed(2), isMet: target?.isMet })),
  );
});
