// Runs and builds the programs of the bench.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The arguments for node. In tests the program is a source, which runs without a build. */
export function nodeArguments(url: URL): string[] {
  const path = fileURLToPath(url);
  return path.endsWith('.ts') ? ['--conditions=@zishuo/source', '--import', 'tsx', path] : [path];
}

/** The same for a program of this folder. The build puts them side by side. */
export function ownProgram(name: string): string[] {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return nodeArguments(new URL(`./${name}.${extension}`, import.meta.url));
}

export interface GoProgram {
  readonly executable: string;
  /** Builds it. Resolves with the reason in one line if that is not possible, else with undefined. */
  build(): Promise<string | undefined>;
}

/** The Go program in a folder beside src and dist, built on demand. */
export function goProgram(folder: string, name: string): GoProgram {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const executable = fileURLToPath(new URL(`../node_modules/.cache/${name}${suffix}`, import.meta.url));
  const cwd = fileURLToPath(new URL(`../${folder}`, import.meta.url));
  return {
    executable,
    async build() {
      try {
        await run('go', ['build', '-buildvcs=false', '-o', executable, '.'], { cwd });
        return undefined;
      } catch (error) {
        const { code, stderr } = error as { readonly code?: string | number; readonly stderr?: string };
        return code === 'ENOENT' ? "there is no 'go'" : (stderr?.trim().split('\n').join('; ') ?? String(error));
      }
    },
  };
}
