// Yamux as its inventors wrote it, between two Go programs: bench/go, built when it is wanted.

import type { Program } from './implementation.ts';
import { goProgram } from './programs.ts';

const { executable, build } = goProgram('go', 'go-yamux');

export const goYamux: Program = {
  name: 'hashicorp/yamux',
  version: 'v0.1.2',
  note: 'Go to Go: one session over one net.TCPConn, default options, blocking reads and writes in a goroutine per stream',
  executable,
};

/** Resolves with why it cannot be built here, in one line; with undefined when it was. */
export const buildGoYamux: () => Promise<string | undefined> = build;
