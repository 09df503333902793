import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeMachine } from '../src/report/machine.ts';
import { writeResults } from '../src/report/results-file.ts';
import { summarizeFigures } from '../src/summary.ts';
import { judge } from '../src/verdicts.ts';

const folder = mkdtempSync(join(tmpdir(), 'bench-results-'));

test('the file has each case, each target with its result, and two decimals', () => {
  const summary = summarizeFigures({ name: 'bulk', title: 'bulk', unit: 'MiB/s', better: 'higher' }, [
    { name: 'ours', figures: [2.0049] },
    { name: 'broken', figures: [], failure: 'lost a byte' },
  ]);
  const against = { value: 1 };
  const verdicts = judge([{ figure: 'bulk', contender: 'ours', against, atLeast: 1 / 3 }], [summary]);
  const contenders = [{ name: 'ours', version: '1.2.3', note: 'a note' }];
  const path = join(folder, 'deeper', 'results.json');
  try {
    writeResults(path, { machine: describeMachine(), rounds: 3, contenders, summaries: [summary], verdicts });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      method: { rounds: 3 },
      implementations: contenders,
      cases: [{ name: 'bulk', results: [{ median: 2, rounds: [2] }, { failure: 'lost a byte' }] }],
      targets: [{ figure: 'bulk', contender: 'ours', against, atLeast: 0.33, ratio: 2, isMet: true }],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
