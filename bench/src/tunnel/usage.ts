// The resources that a process has used, from /proc, for any program.
import { readFileSync } from 'node:fs';

/** The unit of CPU time in /proc: Linux has 100 ticks a second on every platform of Node. */
const TICKS_PER_SECOND = 100;

export interface Usage {
  /** CPU time of all its threads in milliseconds, in user mode and in the kernel. */
  readonly cpuMs: number;
  /** Resident memory in bytes: now, and the peak. */
  readonly memory: number;
  readonly peakMemory: number;
}

/** Why it cannot be measured on this system, in one line; undefined if it can. */
export function usageIsMissing(): string | undefined {
  return process.platform === 'linux'
    ? undefined
    : 'what another process uses is read from /proc, which only Linux has';
}

export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return { cpuMs: cpuMsIn(stat), memory: bytesIn(status, 'VmRSS'), peakMemory: bytesIn(status, 'VmHWM') };
}

/** utime and stime of /proc/PID/stat, the 14th and 15th field. The second field is the name of the program, which may have spaces. */
export function cpuMsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

export function bytesIn(status: string, name: string): number {
  const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
  return Number(kib) * 1024;
}
