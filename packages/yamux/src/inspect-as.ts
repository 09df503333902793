// Lets util.inspect() print the relevant facts of an object instead of Node's internals.

import { type InspectOptions, inspect } from 'node:util';

export function inspectAs<T extends object>(prototype: T, name: string, facts: (self: T) => object): void {
  Object.defineProperty(prototype, inspect.custom, {
    value(this: T, _depth: number, options: InspectOptions): string {
      return `${name} ${inspect(facts(this), options)}`;
    },
  });
}
