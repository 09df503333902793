// The page of metrics lists the metrics that the packages register: names, types, labels and help.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SessionPool } from '@zishuo/yamux-balancer';
import { registerPoolMetrics } from '@zishuo/yamux-balancer/prometheus';
import { Fleet } from '@zishuo/yamux-fleet';
import { registerFleetMetrics } from '@zishuo/yamux-fleet/prometheus';
import { describe, expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/reference/metrics.md', root), 'utf8');

interface Subject {
  readonly folder: string;
  /** Every metric has it. */
  readonly label: 'pool' | 'fleet';
  readonly register: (registry: never) => () => void;
}

const SUBJECTS: readonly Subject[] = [
  {
    folder: 'balancer',
    label: 'pool',
    register: (registry) => registerPoolMetrics(registry, new SessionPool()),
  },
  {
    folder: 'fleet',
    label: 'fleet',
    register: (registry) => registerFleetMetrics(registry, new Fleet({ name: 'a', pool: new SessionPool() })),
  },
];

function registered({ folder, label: common, register }: Subject): string[][] {
  // The package's own: what is registered must be of the very module that it uses.
  const { Registry } = createRequire(new URL(`packages/${folder}/package.json`, root))('prom-client');
  const registry = new Registry();
  const end = register(registry as never);
  const rows = registry.getMetricsAsArray().map((metric: Metric) => {
    const labels = metric.labelNames.filter((label) => label !== common).map((label) => `\`${label}\``);
    return [`\`${metric.name}\``, metric.constructor.name.toLowerCase(), labels.join(', '), metric.help];
  });
  end();
  return rows;
}

interface Metric {
  readonly name: string;
  readonly labelNames: readonly string[];
  readonly help: string;
}

const cells = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

describe.each(SUBJECTS)('metrics of a $label', (subject) => {
  test('the page has every one, its type, its labels and its help', () => {
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith(`| \`yamux_${subject.label}_`))
      .map(cells);
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.sort()).toEqual(registered(subject).sort());
  });

  test('every one that the text and its queries name is registered', () => {
    const names = new Set(registered(subject).map(([name = '']) => name.slice(1, -1)));
    const said = Array.from(page.matchAll(new RegExp(`yamux_${subject.label}_\\w+`, 'g')), ([name]) =>
      name.replace(/_(?:bucket|sum|count)$/, ''),
    );
    expect(said.filter((name) => !names.has(name))).toEqual([]);
  });
});
