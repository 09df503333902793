// SECURITY.md: every limit has the default of the code, and a test with the quoted title.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultOf, GATEWAY_NUMBERS } from '../../packages/tunnel/src/gateway/options.ts';
import { resolveOptions } from '../../packages/yamux/src/session/options.ts';
import { resolveStreamOptions } from '../../packages/yamux-websocket/src/options.ts';
import { defaultsOf } from '../src/defaults.ts';
import { readPage, root } from '../src/pages.ts';

const { prose } = readPage('SECURITY.md');

/** The files that the page names: [opening](packages/yamux/test/floods/opening.test.ts). */
const files = new Map(
  Array.from(prose.matchAll(/\[([\w-]+)\]\((packages\/[^)]+\.test\.ts)\)/g), ([, name = '', path = '']) => [
    name,
    path,
  ]),
);

const { windowBudget, ...session } = resolveOptions();
/** The defaults of a session and of its transports. */
const defaults: Readonly<Record<string, unknown>> = {
  ...session,
  windowBudget: windowBudget.size,
  ...defaultsOf('packages/yamux-websocket', 'UpgradeOptions'),
  ...defaultsOf('packages/yamux-websocket', 'DialOptions'),
  ...resolveStreamOptions(),
  highWaterMark: 65_536,
  ...Object.fromEntries(GATEWAY_NUMBERS.map((name) => [name, defaultOf(name)])),
};

interface Row {
  readonly what: string;
  readonly option: string;
  readonly byDefault: string;
  readonly claim: string;
}

/** The rows of every table with a column of tests. */
const rows: readonly Row[] = prose
  .split('\n')
  .filter((line) => line.startsWith('|') && line.split('|').length === 7 && !/^\| (what|-+) +\|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, what = '', option = '', byDefault = '', , claim = '']) => ({ what, option, byDefault, claim }));

const UNITS: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, KiB: 1_024, MiB: 1_048_576 };

/** '256 KiB', '5 min', '1000, 200 a s', '16 MiB + 64 KiB'. */
function amount(text: string): number {
  const terms =
    text
      .replace(/,(?=\d{3})/g, '')
      .split(',')[0]
      ?.split(' + ') ?? [];
  return terms.reduce((sum, term) => {
    const [number, unit] = term.split(' ');
    return sum + Number(number) * (unit === undefined ? 1 : (UNITS[unit] ?? Number.NaN));
  }, 0);
}

test('there are limits', () => {
  expect(rows.length).toBeGreaterThan(25);
});

test.each(rows.map((row) => [row.what, row] as const))('%s', (_what, { option, byDefault, claim }) => {
  if (option !== 'none') expect(amount(byDefault)).toBe(defaults[option.replaceAll('`', '')]);
  const [, name = '', title = ''] = /^([\w-]+): "(.+)"$/.exec(claim) ?? [];
  expect([...files.keys()]).toContain(name);
  const source = readFileSync(join(root, files.get(name) ?? ''), 'utf8').replaceAll("\\'", "'");
  const quoted = [`'${title}'`, `"${title}"`, `\`${title}\``];
  expect(
    quoted.some((text) => source.includes(text)),
    `a test with the title ${title}`,
  ).toBe(true);
});

test('the page has every option that limits a peer', () => {
  const ours = ['maxUnacknowledged', 'maxFramePayload', 'flushAt', 'keepAliveInterval', 'allowHalfOpen', 'clock'];
  const named = new Set(rows.map(({ option }) => option.replaceAll('`', '')));
  const bounds = [...Object.keys(session), 'windowBudget'].filter((option) => !ours.includes(option));
  expect(bounds.filter((option) => !named.has(option))).toEqual([]);
});

test('the page has every limit of the tunnel', () => {
  const ours = ['openTimeout', 'trustedHops', 'drainDelay', 'webSocketDrain', 'readySessions'];
  const named = new Set(rows.map(({ option }) => option.replaceAll('`', '')));
  expect(GATEWAY_NUMBERS.filter((name) => !ours.includes(name) && !named.has(name))).toEqual([]);
});

test('other tests that the page quotes exist', () => {
  const quotes = Array.from(prose.matchAll(/"([^"|]+)" in\s+\[([\w-]+)\]/g));
  const missing = quotes.filter(([, title = '', name = '']) => {
    return !readFileSync(join(root, files.get(name) ?? ''), 'utf8').includes(title.replace(/\s+/g, ' '));
  });
  expect(quotes.length).toBeGreaterThan(0);
  expect(missing).toEqual([]);
});
