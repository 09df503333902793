// The page of metrics has the metrics that the package registers: names, types, labels and help.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SessionPool } from '@zishuo/yamux-balancer';
import { registerPoolMetrics } from '@zishuo/yamux-balancer/prometheus';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/reference/metrics.md', root), 'utf8');

// The prom-client of the package: the registry must come from the same module.
const fromBalancer: NodeJS.Require = createRequire(new URL('packages/balancer/package.json', root));
const { Registry } = fromBalancer('prom-client');

function registered(): string[][] {
  const registry = new Registry();
  const end = registerPoolMetrics(registry, new SessionPool());
  const rows = registry.getMetricsAsArray().map((metric: Metric) => {
    const labels = metric.labelNames.filter((label) => label !== 'pool').map((label) => `\`${label}\``);
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

test('the page has every metric, its type, its labels and its help', () => {
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| `yamux_pool_'))
    .map(cells);
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.sort()).toEqual(registered().sort());
});

test('every metric that the text and its queries name is registered', () => {
  const names = new Set(registered().map(([name = '']) => name.slice(1, -1)));
  const said = Array.from(page.matchAll(/yamux_pool_\w+/g), ([name]) => name.replace(/_(?:bucket|sum|count)$/, ''));
  expect(said.filter((name) => !names.has(name))).toEqual([]);
});
