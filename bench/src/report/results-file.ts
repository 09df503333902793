// Writes the results with the description of the method, for programs and for later readers.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Contender } from '../implementation.ts';
import { ROUND_MS, WARM_UP_MS } from '../rounds.ts';
import type { CaseSummary } from '../summary.ts';
import type { Verdict } from '../verdicts.ts';
import type { Machine } from './machine.ts';

export interface Report {
  readonly machine: Machine;
  readonly rounds: number;
  readonly contenders: readonly Contender[];
  readonly summaries: readonly CaseSummary[];
  readonly verdicts: readonly Verdict[];
}

const notes: readonly string[] = [
  'Two processes per contender and case, one connection (TCP on 127.0.0.1, TCP_NODELAY), library defaults but for limits on the number of streams.',
  'Each is warmed up once; then the rounds go through the contenders in turn.',
  'The first second of new processes: each round has processes of its own, and no warm-up.',
  'A figure counts what has arrived and been confirmed. It is the median of the rounds.',
  'ratio: how many times as fast as the first contender of the case, by the medians; above 1 is faster.',
  'A figure over the link has one round trip of 80 ms in it, so 93 % of the bandwidth is all there is: see net.Socket.',
  'A link is a third process that holds back what goes through it for the delay, and lets it out no faster than the bandwidth.',
  'A WebSocket sends from its server to its client; masked: from its client to its server.',
  'Memory: of heapUsed + external (which has the buffers in it), after four forced collections, the difference that the streams make; in Go HeapAlloc + StackInuse. What the kernel holds for a socket is not in it.',
  'tunnel: the ways from a client to an origin in processes of their own, loaded by kept-alive connections, each with one request after the other. CPU (user and system) is that of the processes in between, a request; memory is the most that was resident. Idle agents: what the gateway has grown by for each, its CPU while nothing happens, and the time from the start of a new gateway, after the old one was killed, until all agents are connected again.',
  'fleet: the measured node in a process of its own; an own agent and one of another node in turn within each round. Memory of the engine is its used_memory, and operations are the commands that it has got from the nodes, by its own count.',
  'targets: how many times as fast (or as small) `contender` is as `against`: another contender, another figure of its own, or a fixed value.',
];

export function writeResults(path: string, { machine, rounds, contenders, summaries, verdicts }: Report): void {
  const results = {
    command: 'pnpm bench',
    machine,
    method: { rounds, warmUpMs: WARM_UP_MS, roundMs: ROUND_MS, notes },
    implementations: contenders.map(({ name, version, note }) => ({ name, version, note })),
    cases: summaries.map(({ benchCase: { name, title, unit, better }, results }) => ({
      name,
      title,
      unit,
      better,
      results,
    })),
    targets: verdicts.map(({ target, ratio, missing, isMet }) => ({ ...target, ratio, missing, isMet })),
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, roundNumbers, 2)}\n`);
}

/** Two decimals: more would be noise in the file. */
function roundNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value;
}
