// The page of the tunnel's programs matches their sources: flags, log lines, metrics, requests of the admin port.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdminServer, TunnelGateway } from '@zishuo/tunnel';
import { describe, expect, test } from 'vitest';
import { defaultOf, GATEWAY_NUMBERS } from '../../packages/tunnel/src/gateway/options.ts';
import { helpOf, type Program, sourceOf } from '../src/flags.ts';
import { readPage, root } from '../src/pages.ts';

const { prose } = readPage('docs/reference/tunnel.md');
const sources = join(root, 'packages/tunnel/src');

/** The cells of the tables below a heading. */
function tablesOf(heading: string): string[][] {
  const [section = ''] = prose.split(`\n## ${heading}\n`)[1]?.split('\n## ') ?? [];
  const rows = section.split('\n').filter((line) => line.startsWith('|') && !/^\| ?-/.test(line));
  return rows.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe.each<Program>(['gateway', 'agent'])('%s', (program) => {
  const flags = [...helpOf(program).groups.values()].flat();

  test('has every flag of the program, and no other', () => {
    const taken = Array.from(
      sourceOf(program).matchAll(/^ {2,4}'?([a-z][\w-]*)'?: \{ type: '(?:string|boolean)'/gm),
      ([, name]) => name,
    );
    const numbers = program === 'gateway' ? GATEWAY_NUMBERS.map(flagOf) : [];
    const explained = flags.map(({ flag }) => flag.split(' ')[0]?.slice(2)).filter((name) => name !== 'help');
    expect(explained.sort()).toEqual([...taken, ...numbers].sort());
  });

  test('has the defaults of the program', () => {
    const told = new Map(flags.map(({ flag, byDefault }) => [flag.split(' ')[0]?.slice(2), byDefault]));
    const stated = Array.from(
      sourceOf(program).matchAll(/^ {4}'?([a-z][\w-]*)'?: \{ type: 'string'.*default: \[?'([^']+)'/gm),
      ([, name, value]) => [name, value],
    );
    const numbers = program === 'gateway' ? GATEWAY_NUMBERS.map((name) => [flagOf(name), String(defaultOf(name))]) : [];
    expect(stated.length).toBeGreaterThan(0);
    expect([...stated, ...numbers].filter(([name, value]) => told.get(name) !== value)).toEqual([]);
  });

  test('has the environment variables of the program', () => {
    const variables = helpOf(program).environment.match(/\b[A-Z]+_[A-Z_]+\b/g) ?? [];
    expect(variables.length).toBeGreaterThan(1);
    expect(variables.filter((name) => !prose.includes(`\`${name}\``))).toEqual([]);
  });
});

/** idleTimeout is --idle-timeout. */
function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

test('the page has every log line, and no other', () => {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' });
  const code = files
    .filter((file) => file.endsWith('.ts') && !file.startsWith('demo'))
    .map((file) => readFileSync(join(sources, file), 'utf8'))
    .join('\n');
  const logged = Array.from(
    code.matchAll(/(?:[lL]og|line)\((?:this\.#isAnswering \? '([^']+)' : )?\s*'([^']+)'/g),
    ([, one, other]) => [one, other],
  );
  const onPage = tablesOf('Log lines').map(([event = '']) => event.replaceAll('`', ''));
  expect(onPage.slice(1).sort()).toEqual([...new Set(logged.flat().filter((event) => event !== undefined))].sort());
});

test('the page has every metric of the gateway, with its type, labels and help', async () => {
  const gateway = await TunnelGateway.listen({ secret: 'the secret of this test', log: () => {} });
  const admin = await AdminServer.listen({ gateway, token: 'the-token-of-this-test' });
  const metrics = admin.metrics.registry.getMetricsAsArray() as unknown as readonly Metric[];
  await admin.close();
  await gateway.close(0);
  const registered = metrics
    .filter(({ name }) => name.startsWith('tunnel_'))
    .map((metric) => {
      const { name, labelNames, help } = metric;
      const labels = labelNames.map((label) => `\`${label}\``).join(', ');
      return [`\`${name}\``, metric.constructor.name.toLowerCase(), labels, help];
    });
  const onPage = tablesOf('Metrics').filter(([name]) => name?.startsWith('`tunnel_'));
  expect(registered.length).toBeGreaterThan(5);
  expect(onPage.filter((row) => row.length === 4).sort()).toEqual(registered.sort());
});

interface Metric {
  readonly name: string;
  readonly labelNames: readonly string[];
  readonly help: string;
}

test('the page has every request of the admin port', () => {
  const server = readFileSync(join(sources, 'admin/admin-server.ts'), 'utf8');
  const actions = readFileSync(join(sources, 'admin/actions.ts'), 'utf8');
  const paths = Array.from(server.matchAll(/case '(\/\w+)'/g), ([, path]) => path);
  const acts = Array.from(actions.matchAll(/case '(\w+)'/g), ([, action]) => `/${action}`);
  expect([paths.length, acts.length]).toEqual([5, 7]);
  const table = tablesOf('The admin port')
    .map(([request]) => request)
    .join('\n');
  expect([...paths, ...acts].filter((path) => !table.includes(path ?? ''))).toEqual([]);
});
