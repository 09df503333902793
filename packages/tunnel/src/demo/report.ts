// Turns the results into the table and the verdict. Pure: results in, text out.
import type { JobResult } from './job.ts';

export interface Incidents {
  readonly kills: readonly Kill[];
  /** From the moment the drain had taken effect to the order to resume. */
  readonly drained?: { readonly agent: string; readonly from: number; readonly until: number };
}

/** ms from the kill until the process was dead. */
export interface Kill {
  /** Undefined for a gateway, by which requests to any agent may have gone. */
  readonly agent: string | undefined;
  readonly from: number;
  readonly until: number;
}

export interface Verdict {
  readonly sent: number;
  readonly whole: number;
  /** Requests in flight on a killed agent or gateway that their client saw as an error. */
  readonly cut: readonly JobResult[];
  /** All other errors, and everything that looked whole and was not. */
  readonly failed: readonly JobResult[];
  /** Requests that the drained agent served completely during the drain. */
  readonly misrouted: readonly JobResult[];
  readonly checkedBytes: number;
  readonly passed: boolean;
}

export function judge(results: readonly JobResult[], { kills, drained }: Incidents): Verdict {
  const wasCut = ({ outcome, agent, startedAt, endedAt }: JobResult): boolean =>
    outcome === 'error' &&
    kills.some(
      (kill) => (kill.agent === undefined || kill.agent === agent) && startedAt <= kill.until && endedAt >= kill.from,
    );
  const whole = results.filter((result) => result.outcome === 'ok');
  const cut = results.filter(wasCut);
  const failed = results.filter((result) => result.outcome !== 'ok' && !wasCut(result));
  const misrouted = results.filter(
    // A request that was in flight when the agent was resumed may have reached it.
    ({ agent, startedAt, endedAt }) =>
      drained !== undefined && agent === drained.agent && startedAt >= drained.from && endedAt <= drained.until,
  );
  return {
    sent: results.length,
    whole: whole.length,
    cut,
    failed,
    misrouted,
    checkedBytes: whole.reduce((sum, { job }) => sum + job.size, 0),
    passed: whole.length > 0 && failed.length === 0 && misrouted.length === 0,
  };
}

export interface AgentRow {
  readonly agent: string;
  readonly weight: number;
}

/** Latency is measured with small requests only: the time for 64 MiB says nothing about the latency of a tunnel. */
const SMALL = 64 * 1024;

export function agentTable(rows: readonly AgentRow[], results: readonly JobResult[], verdict: Verdict): string {
  const cells = rows.map(({ agent, weight }) => {
    const own = results.filter((result) => result.agent === agent);
    const whole = own.filter((result) => result.outcome === 'ok');
    const times = whole.filter(({ job }) => job.size <= SMALL).map(({ startedAt, endedAt }) => endedAt - startedAt);
    return [
      agent,
      String(weight),
      String(own.length),
      mebibytes(whole.reduce((sum, { job }) => sum + job.size, 0)),
      milliseconds(percentile(times, 0.5)),
      milliseconds(percentile(times, 0.99)),
      String(own.filter((result) => verdict.cut.includes(result)).length),
      String(own.filter((result) => verdict.failed.includes(result)).length),
    ];
  });
  return table(['agent', 'weight', 'requests', 'MiB', 'p50 ms*', 'p99 ms*', 'cut', 'failed'], cells);
}

export function verdictText(verdict: Verdict): string {
  const { sent, whole, cut, failed, misrouted, checkedBytes, passed } = verdict;
  const lines = [
    `requests sent            ${sent}`,
    `whole, hash checked      ${whole} (${mebibytes(checkedBytes)} MiB)`,
    `cut by a kill            ${cut.length}, each seen as an error by its client`,
    `sent to a drained agent  ${misrouted.length}`,
    `failed                   ${failed.length}`,
  ];
  for (const { job, agent, detail } of [...failed, ...misrouted].slice(0, 10)) {
    lines.push(`  ${job.kind} of ${job.size} bytes by ${agent ?? 'nobody'}: ${detail.trim()}`);
  }
  lines.push('', passed ? 'PASSED: nothing was lost that could be saved.' : 'FAILED');
  return lines.join('\n');
}

export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return [line(head), ...rows.map(line)].join('\n');
}
