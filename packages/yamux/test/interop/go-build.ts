// Makes the Go peer's executable, or says why it cannot be made here. What is wrong with our own Go code is an error, never a reason.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The `go` line of go-peer/go.mod: the oldest that hashicorp/yamux v0.1.2 builds with. */
const OLDEST_GO = { major: 1, minor: 20 } as const;

const source = join(import.meta.dirname, 'go-peer');

export type GoBuild =
  | { readonly executable: string; readonly missing?: undefined; discard(): Promise<void> }
  | { readonly executable?: undefined; readonly missing: string };

/** Whoever builds has an executable of his own: another may be building, or running his, at this moment. */
export async function buildGoPeer(): Promise<GoBuild> {
  const version = await go('env', 'GOVERSION');
  if (version.failure !== undefined) return { missing: `go cannot be run (${version.failure})` };
  if (!isRecent(version.output)) {
    return { missing: `${version.output} is older than go ${OLDEST_GO.major}.${OLDEST_GO.minor}` };
  }
  const modules = await go('mod', 'download');
  if (modules.failure !== undefined) return { missing: `the Go modules cannot be fetched (${modules.failure})` };

  const folder = await mkdtemp(join(tmpdir(), 'go-peer-'));
  const discard = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  const executable = join(folder, process.platform === 'win32' ? 'go-peer.exe' : 'go-peer');
  const build = await go('build', '-buildvcs=false', '-o', executable, '.');
  if (build.failure === undefined) return { executable, discard };
  await discard();
  throw new Error(`the Go peer does not build: ${build.failure}`);
}

interface GoRun {
  readonly output: string;
  /** One line on why the command failed. */
  readonly failure?: string;
}

async function go(...args: readonly string[]): Promise<GoRun> {
  try {
    const { stdout } = await run('go', args, { cwd: source });
    return { output: stdout.trim() };
  } catch (error) {
    const { code, stderr } = error as { code?: string | number; stderr?: string };
    if (code === 'ENOENT') return { output: '', failure: "no 'go' on PATH" };
    return { output: '', failure: stderr?.trim().split('\n').join('; ') || String(error) };
  }
}

/** `go1.26.8`, `go1.21rc2`, `devel go1.27-abcdef`. A version that does not read like one is left for the compiler to judge. */
function isRecent(version: string): boolean {
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return true;
  return Number(major) > OLDEST_GO.major || (Number(major) === OLDEST_GO.major && Number(minor) >= OLDEST_GO.minor);
}
