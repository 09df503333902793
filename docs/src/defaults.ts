// Reads the documented defaults of options: each @defaultValue that is a value.

import { type EntryPoint, readPackages } from './exports.ts';

/** A cache, because reading a package takes a second. */
const read = new Map<string, readonly EntryPoint[]>();

/** The defaults of the options that a package exports under this name. */
export function defaultsOf(folder: string, name: string): Record<string, unknown> {
  const points = read.get(folder) ?? readPackages([folder]).get(folder) ?? [];
  read.set(folder, points);
  const { members = [] } = points.flatMap(({ exports }) => exports).find((one) => one.name === name) ?? {};
  const told = members.map((member) => [member.name, toldValue(member.doc.byDefault ?? '')] as const);
  return Object.fromEntries(told.filter(([, value]) => value !== undefined));
}

function toldValue(text: string): unknown {
  if (/^(true|false)$/.test(text)) return text === 'true';
  if (/^'.*'$/.test(text)) return text.slice(1, -1);
  return text === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
}
