// Makes util.inspect() of a class's objects print the facts that matter, instead of Node's insides.

import { type InspectOptions, inspect } from 'node:util';

export function inspectAs<T extends object>(prototype: T, name: string, facts: (self: T) => object): void {
  Object.defineProperty(prototype, inspect.custom, {
    value(this: T, _depth: number, options: InspectOptions): string {
      return `${name} ${inspect(facts(this), options)}`;
    },
  });
}
