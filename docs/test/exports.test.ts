// Everything that the packages export has a comment that says what it is: functions, classes, shapes, and every member of them.

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

/** The parts of others that we use: what a member is, their documentation says. */
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

/** Errors are caught, not made: their constructors need no words. */
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
