import { describe, expect, it } from 'vitest';
import type { JobResult } from '../../src/demo/job.ts';
import { agentTable, type Incidents, judge, percentile, verdictText } from '../../src/demo/report.ts';

const incidents: Incidents = {
  kills: [{ agent: 'charlie', from: 100, until: 110 }],
  drained: { agent: 'alpha', from: 50, until: 70 },
};

function result(changes: Partial<JobResult>): JobResult {
  const job = { kind: 'download', size: 1024, seed: 1 } as const;
  return { job, outcome: 'ok', detail: '', agent: 'bravo', startedAt: 10, endedAt: 20, ...changes };
}

const whole = result({});
const cut = result({ outcome: 'error', detail: 'aborted', agent: 'charlie', startedAt: 90, endedAt: 120 });

describe('the verdict', () => {
  it('passes when all is whole but what the kill cut', () => {
    expect(judge([whole, cut], incidents)).toMatchObject({ sent: 2, whole: 1, cut: [cut], failed: [], passed: true });
  });

  it('counts the bytes of whole bodies only', () => {
    expect(judge([whole, whole, cut], incidents).checkedBytes).toBe(2048);
  });

  it.each([
    ['an error on another agent', { ...cut, agent: 'bravo' }],
    ['an error that nobody is named for', { ...cut, agent: undefined }],
    ['an error that was over before the kill', { ...cut, startedAt: 80, endedAt: 99 }],
    ['an error of a request that began after the kill', { ...cut, startedAt: 111 }],
    ['a body that looked whole on the killed agent, and was not', { ...cut, outcome: 'wrong' as const }],
  ])('fails for %s', (_what, failure) => {
    expect(judge([whole, failure], incidents)).toMatchObject({ cut: [], failed: [failure], passed: false });
  });

  it('fails when a drained agent was given a new request, and only then', () => {
    const inTime = result({ agent: 'alpha', startedAt: 50, endedAt: 60 });
    const before = result({ agent: 'alpha', startedAt: 49, endedAt: 60 });
    const across = result({ agent: 'alpha', startedAt: 60, endedAt: 71 });
    const after = result({ agent: 'alpha', startedAt: 70, endedAt: 80 });
    expect(judge([before, across, after], incidents)).toMatchObject({ misrouted: [], passed: true });
    expect(judge([whole, inTime], incidents)).toMatchObject({ misrouted: [inTime], passed: false });
  });

  it('lets a killed gateway cut what was under way, whoever served it, and nothing else', () => {
    const gateway: Incidents = { kills: [{ agent: undefined, from: 100, until: 110 }] };
    const late = { ...cut, startedAt: 111 };
    expect(judge([whole, { ...cut, agent: undefined }], gateway)).toMatchObject({ failed: [], passed: true });
    expect(judge([whole, late], gateway)).toMatchObject({ failed: [late], passed: false });
  });

  it('fails when nothing was served at all', () => {
    expect(judge([], incidents).passed).toBe(false);
    expect(judge([cut], incidents).passed).toBe(false);
  });

  it('names what failed', () => {
    const failure = result({ outcome: 'error', detail: '502 no answer' });
    const text = verdictText(judge([whole, failure], incidents));
    expect(text).toContain('FAILED');
    expect(text).toContain('download of 1024 bytes by bravo: 502 no answer');
  });
});

describe('the table', () => {
  it('has a line for each agent, with its own requests and the latency of its small ones', () => {
    const large = result({ job: { kind: 'upload', size: 3 * 1024 * 1024, seed: 1 }, endedAt: 5_000 });
    const results = [whole, large, cut];
    const rows = [
      { agent: 'bravo', weight: 2 },
      { agent: 'charlie', weight: 3 },
      { agent: 'delta', weight: 1 },
    ];
    const lines = agentTable(rows, results, judge(results, incidents)).split('\n');
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['agent', 'weight', 'requests', 'MiB', 'p50 ms*', 'p99 ms*', 'cut', 'failed'],
      ['bravo', '2', '2', '3', '10.0', '10.0', '0', '0'],
      ['charlie', '3', '1', '0', '-', '-', '1', '0'],
      ['delta', '1', '0', '0', '-', '-', '0', '0'],
    ]);
  });
});

it.each([
  [[], 0.5, undefined],
  [[7], 0.99, 7],
  [[3, 1, 2], 0.5, 2],
  [Array.from({ length: 100 }, (_, index) => index), 0.99, 99],
])('of %j the percentile at %d is %d', (values, share, expected) => {
  expect(percentile(values, share)).toBe(expected);
});
