// The results for a program, and for whoever wants to know in a year how they came about.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Implementation } from '../implementation.ts';
import { ROUND_MS, WARM_UP_MS } from '../pair.ts';
import type { CaseSummary } from '../summary.ts';
import type { Machine } from './machine.ts';

export interface Report {
  readonly machine: Machine;
  readonly rounds: number;
  readonly implementations: readonly Implementation[];
  readonly summaries: readonly CaseSummary[];
}

export function writeResults(path: string, { machine, rounds, implementations, summaries }: Report): void {
  const results = {
    command: 'pnpm bench',
    machine,
    method: {
      rounds,
      warmUpMs: WARM_UP_MS,
      roundMs: ROUND_MS,
      notes: [
        'Two processes per implementation and case, one connection (TCP on 127.0.0.1, TCP_NODELAY), library defaults.',
        'Each is warmed up once; then the rounds go through the implementations in turn.',
        'A figure counts what has arrived and been confirmed. It is the median of the rounds.',
        `ratio: how many times as fast as ${implementations[0]?.name}, by the medians; above 1 is faster.`,
      ],
    },
    implementations: implementations.map(({ name, version, note }) => ({ name, version, note })),
    cases: summaries.map(({ benchCase: { name, title, unit, better }, results }) => ({
      name,
      title,
      unit,
      better,
      results,
    })),
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, roundNumbers, 2)}\n`);
}

/** Two decimals: more would be noise in the file. */
function roundNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value;
}
