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

/** Returns what cleans up after all tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const isInFull = process.env.npm_lifecycle_event === 'interop';
  const build = await buildGoPeer();
  const { missing } = build;
  if (missing !== undefined) {
    const isAskedFor = isInFull || isSet('CI') || isSet('REQUIRE_GO');
    if (isAskedFor) throw new Error(`interop with Go cannot run: ${missing}`);
    console.warn(`interop with Go skipped: ${missing}`);
  }
  project.provide('goPeer', build.executable ?? null);
  project.provide('isInteropInFull', isInFull);
  return async () => {
    if (build.missing === undefined) await build.discard();
  };
}

function isSet(name: string): boolean {
  return !['', '0', 'false', undefined].includes(process.env[name]);
}
