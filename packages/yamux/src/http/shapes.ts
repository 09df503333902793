// What something is, told by its shape: copies of a package share no class.

import type { Duplex } from 'node:stream';

export function isDuplex(value: unknown): value is Duplex {
  const { pipe, write } = Object(value) as Record<string, unknown>;
  return typeof pipe === 'function' && typeof write === 'function';
}

/** For messages. */
export function typeName(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
