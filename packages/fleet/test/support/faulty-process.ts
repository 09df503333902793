// A process of a test that is stopped, goes on, or is killed.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export class FaultyProcess {
  protected process: ChildProcess | undefined;

  /** Resolves when it has ended. */
  async kill(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** It answers nobody. */
  stop(): void {
    this.process?.kill('SIGSTOP');
  }

  resume(): void {
    this.process?.kill('SIGCONT');
  }
}
