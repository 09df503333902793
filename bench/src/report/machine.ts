// Describes the machine of the figures.

import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly date: string;
  /** The load average of the minute before the start, which includes the build. If it is well above 1, other programs were running. Always 0 on Windows. */
  readonly loadAverageBefore: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${process.arch}`,
    node: process.versions.node,
    date: new Date().toISOString(),
    loadAverageBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
