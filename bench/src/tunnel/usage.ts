// What a process has used, whatever program it is: from /proc.
import { readFileSync } from 'node:fs';

/** Of the kernel's clock, in which it tells CPU time: Linux has 100 a second on every machine that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface Usage {
  /** Milliseconds of all its threads, in user mode and in the kernel. */
  readonly cpuMs: number;
  /** Bytes of memory that is resident now, and the most that ever was. */
  readonly memory: number;
  readonly peakMemory: number;
}

/** Why it cannot be told on this system, in one line; undefined where it can. */
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

/** Of /proc/PID/stat: utime and stime, the 14th and 15th field. The second is the name of the program, in which there may be spaces. */
export function cpuMsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

export function bytesIn(status: string, name: string): number {
  const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
  return Number(kib) * 1024;
}
