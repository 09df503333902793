// `pnpm docs:figures`: writes the figures of the last whole run of `pnpm bench` from results.json into the tables of README.md and of
// docs/explanation/performance.md and comparison.md, and those of `pnpm simulate fleet` into docs/explanation/fleet.md. The text beside the tables is
// written by hand.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatted } from './formatted.ts';
import { root } from './pages.ts';

export interface Target {
  readonly figure: string;
  readonly contender: string;
  readonly against: { readonly contender?: string; readonly figure?: string; readonly value?: number };
  readonly atLeast: number;
  readonly ratio?: number;
  readonly isMet: boolean;
}

export interface Results {
  readonly targets: readonly Target[];
  readonly machine: { readonly cpu: string; readonly node: string };
  readonly method: { readonly rounds: number };
  readonly cases: readonly {
    readonly name: string;
    readonly title: string;
    readonly unit: string;
    readonly results: readonly { readonly implementation: string; readonly median?: number }[];
  }[];
}

export const RESULTS = 'docs/benchmarks/results.json';
/** The pages with tables whose rows are cases and whose columns are contenders. */
export const PAGES_OF_CASES = ['README.md', 'docs/explanation/comparison.md'] as const;
const PAGE = 'docs/explanation/performance.md';

/** What `pnpm simulate fleet` has written. */
export interface SimulatedFleet {
  readonly agents: number;
  readonly gateways: number;
  readonly requestsPerSecond: number;
  readonly scenarios: readonly {
    readonly title: string;
    readonly seconds: number;
    readonly operations: number;
    readonly reads: number;
    readonly told: number;
    readonly hints: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly mostOperations: number;
    readonly mostBytes: number;
  }[];
}

export const SIMULATED_FLEET = 'docs/benchmarks/fleet.json';
export const FLEET_PAGE = 'docs/explanation/fleet.md';

/** Targets that are in no table. A test requires that all of them are met. */
const isLeftOut = ({ figure }: Target): boolean => figure.startsWith('balancer-') || figure === 'web-socket-masked';
const isOfTunnel = (name: string): boolean => name.startsWith('tunnel-');

/** Prints a figure as the bench does: three significant digits, and no fraction from 100 on. */
export function printed(figure: number): string {
  if (figure === 0) return '0';
  return figure >= 100 ? Math.round(figure).toLocaleString('en-US') : figure.toPrecision(3);
}

/** The text of a cell; empty for a contender without a figure, undefined for a case that is not in the run. */
export function cellOf({ cases }: Results, titleAndUnit: string, contender: string): string | undefined {
  const measured = cases.find(({ title, unit }) => `${title}, ${unit}` === titleAndUnit);
  if (measured === undefined) return undefined;
  const result = measured.results.find(({ implementation }) => implementation === contender);
  if (result === undefined) return '';
  return result.median === undefined ? 'fails' : printed(result.median);
}

/** The targets in the order of the table "Targets". */
export function wantedTargets({ targets }: Results): readonly Target[] {
  const told = targets.filter((target) => !isLeftOut(target) && !isOfTunnel(target.figure));
  const picks = targets.filter(
    ({ figure, contender }) =>
      figure === 'balancer-pick-100' && !['weighted', 'rendezvous', 'peak-ewma'].includes(contender),
  );
  const slowest = [...picks].sort((one, other) => (one.ratio ?? 0) - (other.ratio ?? 0))[0];
  const weighted = targets.find(({ contender }) => contender === 'weighted');
  return [...told, slowest, weighted].filter((target) => target !== undefined);
}

/** The targets that are in no table. */
export function untoldTargets({ targets }: Results): readonly Target[] {
  return targets.filter(isLeftOut);
}

function reached({ ratio, isMet }: Target): string {
  const text = ratio === undefined ? '–' : `${ratio.toFixed(2)} ×`;
  return isMet ? text : `**${text}**`;
}

/** A part of the page, by its mark. It is empty if the run has no figures for it. */
type Part = 'wanted' | 'tunnel' | 'simulation';

function tablesOf(part: 'wanted' | 'tunnel', results: Results): string {
  if (part === 'wanted') return wantedTable(results, wantedTargets(results));
  const cases = results.cases.filter(({ name }) => isOfTunnel(name));
  if (cases.length === 0) return '';
  const contenders = [...new Set(cases.flatMap((one) => one.results.map(({ implementation }) => implementation)))];
  const figures = cases.map(({ title, unit }) => {
    const name = `${title}, ${unit}`;
    return [name, ...contenders.map((contender) => cellOf(results, name, contender) ?? '')];
  });
  const wanted = results.targets.filter(({ figure }) => isOfTunnel(figure));
  return `${table(['case', ...contenders], figures)}\n${wantedTable(results, wanted)}`;
}

/** The contender of most figures; a title names the contender only if it is another one. */
const USUAL = '@zishuo/yamux';

function wantedTable({ cases }: Results, targets: readonly Target[]): string {
  const rows = targets.map((target) => {
    const { figure, contender, against, atLeast } = target;
    const { title = figure, unit = '' } = cases.find(({ name }) => name === figure) ?? {};
    const other = cases.find(({ name }) => name === against.figure)?.title;
    const isOwn = against.figure !== undefined && against.contender === contender;
    return [
      contender === USUAL ? title : `${title}: ${contender}`,
      isOwn ? (other ?? '') : (against.contender ?? `${printed(against.value ?? 0)} ${unit}`),
      `${atLeast} ×`,
      reached(target),
    ];
  });
  return table(['case', 'against', 'wanted', 'reached'], rows);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return line(header) + line(header.map(() => '---')) + rows.map(line).join('');
}

/** The place of a part in the page, between its marks. */
function placeOf(part: Part, page: string): readonly [begin: number, end: number] {
  const begin = `<!-- pnpm docs:figures: ${part} -->\n`;
  const end = `<!-- the end of ${part} -->`;
  return [page.indexOf(begin) + begin.length, page.indexOf(end)];
}

export function partOf(part: Part, page: string): string {
  return page.slice(...placeOf(part, page));
}

/** docs/explanation/performance.md with new tables. */
export function pageWith(results: Results, page: string): string {
  let renewed = page;
  for (const part of ['wanted', 'tunnel'] as const) {
    const [begin, end] = placeOf(part, renewed);
    const tables = tablesOf(part, results);
    renewed = renewed.slice(0, begin) + (tables === '' ? '' : `\n${tables}\n`) + renewed.slice(end);
  }
  return formatted(PAGE, renewed);
}

/** docs/explanation/fleet.md with a new table: a column for each scenario. */
export function fleetPageWith({ scenarios }: SimulatedFleet, page: string): string {
  const rows: [string, (one: SimulatedFleet['scenarios'][number]) => number][] = [
    ['seconds', ({ seconds }) => seconds],
    ['operations a second', ({ operations, seconds }) => operations / seconds],
    ['in the busiest second', ({ mostOperations }) => mostOperations],
    ['operations in all', ({ operations }) => operations],
    ['of these, reads of names', ({ reads }) => reads],
    ['names that were told', ({ told }) => told],
    ['hints', ({ hints }) => hints],
    ['MB a second, to the engine', ({ bytesIn, seconds }) => bytesIn / 1e6 / seconds],
    ['MB a second, from the engine', ({ bytesOut, seconds }) => bytesOut / 1e6 / seconds],
    ['MB in the busiest second', ({ mostBytes }) => mostBytes / 1e6],
  ];
  const cells = rows.map(([name, figure]) => [name, ...scenarios.map((one) => printed(figure(one)))]);
  const [begin, end] = placeOf('simulation', page);
  const tables = table(['', ...scenarios.map(({ title }) => title)], cells);
  return formatted(FLEET_PAGE, `${page.slice(0, begin)}\n${tables}\n${page.slice(end)}`);
}

/** A page with the figures of the run in its tables of cases. */
export function pageOfCasesWith(results: Results, path: (typeof PAGES_OF_CASES)[number], page: string): string {
  let contenders: readonly string[] = [];
  const lines = page.split('\n').map((line) => {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    // The header of a column is the name of its contender, and an explanation after a comma.
    if (cells[0] === 'case') contenders = cells.slice(1).map((cell) => cell.replace(/,.*/, ''));
    const [title = ''] = cells;
    const isRow = results.cases.some((one) => `${one.title}, ${one.unit}` === title);
    if (!isRow) return line;
    return `| ${[title, ...contenders.map((contender) => cellOf(results, title, contender) ?? '')].join(' | ')} |`;
  });
  return formatted(path, lines.join('\n'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const results = JSON.parse(read(RESULTS)) as Results;
  for (const path of PAGES_OF_CASES) writeFileSync(join(root, path), pageOfCasesWith(results, path, read(path)));
  writeFileSync(join(root, PAGE), pageWith(results, read(PAGE)));
  const simulated = JSON.parse(read(SIMULATED_FLEET)) as SimulatedFleet;
  writeFileSync(join(root, FLEET_PAGE), fleetPageWith(simulated, read(FLEET_PAGE)));
  console.log([...PAGES_OF_CASES, PAGE, FLEET_PAGE].join('\n'));
}
