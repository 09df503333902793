// Builds the Go peer once for all interop tests. Where it cannot be built the tests are skipped, and one line says so;
// where interop is what was asked for (`pnpm interop`, CI, REQUIRE_GO=1), that is an error.
import type { TestProject } from 'vitest/node';
import { buildGoPeer } from './go-build.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Go peer's executable; null where there is none and interop is skipped. */
    goPeer: string | null;
    /** Whether interop is what was asked for, or a part of all tests that should be quick. */
    isInteropInFull: boolean;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const isInFull = process.env.npm_lifecycle_event === 'interop';
  const { executable, missing } = await buildGoPeer();
  if (missing !== undefined) {
    const isAskedFor = isInFull || isSet('CI') || isSet('REQUIRE_GO');
    if (isAskedFor) throw new Error(`interop with Go cannot run: ${missing}`);
    console.warn(`interop with Go skipped: ${missing}`);
  }
  project.provide('goPeer', executable ?? null);
  project.provide('isInteropInFull', isInFull);
}

function isSet(name: string): boolean {
  return !['', '0', 'false', undefined].includes(process.env[name]);
}
