// The loads for the subjects, and their figures.
import type { Figure } from '../case.ts';
import type { GroupOutcome, LoadGroup, LoadOutcome } from './ends/messages.ts';

/** The resources that a process used in a round. */
export interface Used {
  readonly cpuMs: number;
  /** Bytes. */
  readonly peakMemory: number;
}

/** The result of a round: of the load, and of the processes in between, if there are any. */
export interface RoundOutcome extends LoadOutcome {
  readonly near: Used | undefined;
  readonly far: Used | undefined;
}

export interface TunnelCase {
  readonly name: string;
  readonly figures: readonly Figure[];
  readonly groups: readonly LoadGroup[];
  /** In the order of the figures; NaN for a figure that this subject does not have. */
  read(outcome: RoundOutcome): readonly number[];
}

const MIB = 1_048_576;

function requests(name: string, title: string, group: LoadGroup): TunnelCase {
  const figure = figuresOf(name, title);
  return {
    name,
    figures: [
      figure('', '', 'requests/s', 'higher'),
      figure('-p50', ', p50', 'ms', 'lower'),
      figure('-p99', ', p99', 'ms', 'lower'),
      figure('-cpu', ', CPU of all in between, a request', 'ms', 'lower'),
      ...ofProcesses(figure),
    ],
    groups: [group],
    read({ seconds, groups, near, far }) {
      const [{ requests, p50, p99 }] = groups as readonly [GroupOutcome];
      const cpu = [near, far].map((used) => (used === undefined ? Number.NaN : used.cpuMs / requests));
      const [nearCpu = Number.NaN, farCpu = Number.NaN] = cpu;
      const all = Number.isNaN(farCpu) ? nearCpu : nearCpu + farCpu;
      return [requests / seconds, p50, p99, all, nearCpu, farCpu, memoryOf(near), memoryOf(far)];
    },
  };
}

function besideDownloads(name: string, title: string, small: LoadGroup, large: LoadGroup): TunnelCase {
  const figure = figuresOf(name, title);
  return {
    name,
    figures: [
      figure('-p50', ', p50', 'ms', 'lower'),
      figure('-p99', ', p99', 'ms', 'lower'),
      figure('-rate', '', 'requests/s', 'higher'),
      figure('-speed', ', and these', 'MiB/s', 'higher'),
      ...ofProcesses(figure).slice(2),
    ],
    groups: [small, large],
    read({ seconds, groups, near, far }) {
      const [few, many] = groups as readonly [GroupOutcome, GroupOutcome];
      const speed = (many.requests * large.answers) / MIB / seconds;
      return [few.p50, few.p99, few.requests / seconds, speed, memoryOf(near), memoryOf(far)];
    },
  };
}

type MakeFigure = (name: string, title: string, unit: string, better: Figure['better']) => Figure;

function figuresOf(name: string, title: string): MakeFigure {
  return (ending, more, unit, better) => ({ name: name + ending, title: title + more, unit, better });
}

function ofProcesses(figure: MakeFigure): Figure[] {
  return [
    figure('-cpu-near', ', CPU of the gateway, a request', 'ms', 'lower'),
    figure('-cpu-far', ', CPU of the agent, a request', 'ms', 'lower'),
    figure('-memory-near', ', peak memory of the gateway', 'MiB', 'lower'),
    figure('-memory-far', ', peak memory of the agent', 'MiB', 'lower'),
  ];
}

function memoryOf(used: Used | undefined): number {
  return used === undefined ? Number.NaN : used.peakMemory / MIB;
}

const down = (connections: number, answers: number): LoadGroup => ({ connections, answers, uploads: 0 });
const up = (connections: number, uploads: number): LoadGroup => ({ connections, answers: 0, uploads });

export const tunnelCases: readonly TunnelCase[] = [
  requests('tunnel-small', 'HTTP, 100-byte answers, 50 connections', down(50, 100)),
  requests('tunnel-down-1m', 'HTTP, 1 MiB answers, 8 connections', down(8, MIB)),
  requests('tunnel-down-64m', 'HTTP, 64 MiB answers, 2 connections', down(2, 64 * MIB)),
  requests('tunnel-up-1m', 'HTTP, 1 MiB uploads, 8 connections', up(8, MIB)),
  besideDownloads(
    'tunnel-beside',
    'HTTP, 100-byte answers, 4 connections, beside two downloads of 64 MiB',
    down(4, 100),
    down(2, 64 * MIB),
  ),
];
