// The common part of the measured processes: their arguments, and their messages to the parent process. A line on stdin is
// the duration of a load in ms, a line on stdout is a Message, and the process ends at the end of stdin.

import { createInterface } from 'node:readline';
import type { Case } from './case.ts';
import type { Contender } from './implementation.ts';
import { trials } from './trials.ts';

/** A server sends its port, a client its figures, and both their errors. */
export type Message =
  | { readonly port: number }
  | { readonly figures: readonly number[] }
  | { readonly failure: string };

export interface Assignment {
  readonly contender: Contender;
  readonly benchCase: Case;
  /** The port to connect to. */
  readonly port: number;
}

/** Reads the arguments. After this call uncaught exceptions and 'error' events without a listener are reported as the outcome. */
export function begin(onLoad: (ms: number) => void = () => {}): Assignment {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (ms) => onLoad(Number(ms)));
  lines.on('close', () => process.exit());
  process.on('uncaughtException', (error: Error) => tell({ failure: error.message }));
  const [contenderName, caseName, port] = process.argv.slice(2);
  const trial = trials.find(({ benchCase }) => benchCase.name === caseName);
  const contender = trial?.contenders.find(({ name }) => name === contenderName);
  if (trial === undefined || contender === undefined) {
    throw new Error(`Expected a contender and a case, got ${contenderName} and ${caseName}`);
  }
  return { contender, benchCase: trial.benchCase, port: Number(port) };
}

export function tell(message: Message): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
