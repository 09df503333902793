// Recognizes objects by their shape, because two copies of a package do not share classes.

import type { Duplex } from 'node:stream';

export function isDuplex(value: unknown): value is Duplex {
  const { pipe, write } = Object(value) as Record<string, unknown>;
  return typeof pipe === 'function' && typeof write === 'function';
}

/** Describes a value for an error message. */
export function typeName(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
