// Where the Go peer cannot be made, one line says so, and where it was asked for that is an error.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import type { TestProject } from 'vitest/node';
import setup from './global-setup.ts';
import { buildGoPeer } from './go-build.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'go-missing-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** There is no go in the only folder where it is looked for. */
function withoutGo(): void {
  vi.stubEnv('PATH', folder);
  for (const name of ['CI', 'REQUIRE_GO']) vi.stubEnv(name, '');
  vi.stubEnv('npm_lifecycle_event', 'test');
}

const NO_GO = "go cannot be run (no 'go' on PATH)";

describe('without go', () => {
  beforeEach(withoutGo);

  test('interop is skipped, and one line says so', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const provide = vi.fn();
    const cleanUp = await setup({ provide } as unknown as TestProject);
    expect(Object.fromEntries(provide.mock.calls)).toEqual({ goPeer: null, isInteropInFull: false });
    expect(warn.mock.calls).toEqual([[`interop with Go skipped: ${NO_GO}`]]);
    await cleanUp();
  });

  test.each([
    ['npm_lifecycle_event', 'interop'],
    ['CI', 'true'],
    ['REQUIRE_GO', '1'],
  ])('it is an error where %s is %s', async (name, value) => {
    vi.stubEnv(name, value);
    await expect(setup({} as TestProject)).rejects.toThrow(`interop with Go cannot run: ${NO_GO}`);
  });
});

// A program of that name, as a shell would find it; Windows finds none without an ending.
test.skipIf(process.platform === 'win32')('a go older than go.mod wants is named', async () => {
  const old = join(folder, 'go');
  await writeFile(old, '#!/bin/sh\necho go1.19.13\n');
  await chmod(old, 0o755);
  vi.stubEnv('PATH', [folder, process.env.PATH].join(delimiter));
  expect(await buildGoPeer()).toEqual({ missing: 'go1.19.13 is older than go 1.20' });
});

test.skipIf(inject('goPeer') === null)('modules that cannot be fetched are a reason', async () => {
  vi.stubEnv('GOMODCACHE', folder);
  vi.stubEnv('GOPROXY', 'off');
  const { missing } = await buildGoPeer();
  expect(missing).toMatch(/^the Go modules cannot be fetched \(.*module lookup disabled by GOPROXY=off.*\)$/);
});
