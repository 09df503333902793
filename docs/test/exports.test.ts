// Every export of the packages has a comment: functions, classes, shapes, and all their members.

import { expect, test } from 'vitest';
import { type Export, readPackages } from '../src/exports.ts';

const packages = readPackages([
  'packages/yamux',
  'packages/yamux-websocket',
  'packages/yamux-js',
  'packages/balancer',
  'packages/fleet',
]);
const entryPoints = [...packages.values()].flat();

/** Shapes of other libraries: their documentation describes the members. */
const MIRRORS = [
  'Carrier',
  'WsClientOptions',
  'WsLike',
  'TYPES',
  'FLAGS',
  'STREAM_STATES',
  'GO_AWAY_ERRORS',
  'defaultConfig',
];

/** Users catch errors and do not make them: their constructors need no comment. */
function undocumented({ name, kind, doc, members }: Export): string[] {
  const without = members.filter(
    (member) =>
      member.doc.text === '' &&
      !MIRRORS.includes(name) &&
      !member.isOverride &&
      !(kind === 'error' && member.kind === 'constructor'),
  );
  return [...(doc.text === '' ? [name] : []), ...without.map((member) => `${name}.${member.name}`)];
}

test.each(entryPoints.map((point) => [point.specifier, point] as const))('%s', (_specifier, { exports }) => {
  expect(exports.length).toBeGreaterThan(0);
  expect(exports.flatMap(undocumented)).toEqual([]);
});
