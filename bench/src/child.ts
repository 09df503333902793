// What the two measured processes have in common: their arguments, and how they talk to the process that started them.

import type { Case } from './case.ts';
import { cases } from './cases/index.ts';
import type { Implementation } from './implementation.ts';
import { implementations } from './implementations/index.ts';

/** A server tells its port, a client its figure, and both what went wrong. */
export type Message = { readonly port: number } | { readonly figure: number } | { readonly failure: string };

export interface Assignment {
  readonly implementation: Implementation;
  readonly benchCase: Case;
  /** What else the program was given. */
  readonly numbers: readonly number[];
}

/** Reads the arguments. From here on whatever is thrown, and any 'error' that nobody listens to, is reported as the outcome. */
export function begin(): Assignment {
  process.on('disconnect', () => process.exit());
  process.on('uncaughtException', (error: Error) => tell({ failure: error.message }));
  const [implementationName, caseName, ...numbers] = process.argv.slice(2);
  const implementation = implementations.find(({ name }) => name === implementationName);
  const benchCase = cases.find(({ name }) => name === caseName);
  if (implementation === undefined || benchCase === undefined) {
    throw new Error(`Expected an implementation and a case, got ${implementationName} and ${caseName}`);
  }
  return { implementation, benchCase, numbers: numbers.map(Number) };
}

export function tell(message: Message): void {
  process.send?.(message);
}
