// hashicorp/yamux between two Go programs: bench/go, built on demand.

import type { Program } from './implementation.ts';
import { goProgram } from './programs.ts';

const { executable, build } = goProgram('go', 'go-yamux');

export const goYamux: Program = {
  name: 'hashicorp/yamux',
  version: 'v0.1.2',
  note: 'Go to Go: one session over one net.TCPConn, default options, blocking reads and writes in a goroutine per stream',
  executable,
};

/** Builds the program. Resolves with the reason in one line if that is not possible, else with undefined. */
export const buildGoYamux: () => Promise<string | undefined> = build;
