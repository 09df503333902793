import { describe, expect, test } from 'vitest';
import { groups, SIZES } from '../src/balancer/index.ts';
import { fleetCases } from '../src/fleet/index.ts';
import { renderTargets } from '../src/report/targets-table.ts';
import { summarizeFigures } from '../src/summary.ts';
import { type Target, targets } from '../src/targets.ts';
import { trials } from '../src/trials.ts';
import { idleTrial, tunnelTrials } from '../src/tunnel/index.ts';
import { judge } from '../src/verdicts.ts';

const bulk = summarizeFigures({ name: 'bulk', title: 'bulk', unit: 'MiB/s', better: 'higher' }, [
  { name: 'ours', figures: [90] },
  { name: 'socket', figures: [100] },
  { name: 'broken', figures: [], failure: 'lost a byte' },
]);
const small = summarizeFigures({ name: 'memory', title: 'memory', unit: 'B', better: 'lower' }, [
  { name: 'ours', figures: [1024] },
]);

function verdictOn(target: Partial<Target>): ReturnType<typeof judge>[number] | undefined {
  const whole = { figure: 'bulk', contender: 'ours', against: { contender: 'socket' }, atLeast: 1, ...target };
  return judge([whole], [bulk, small])[0];
}

describe('a target', () => {
  test('is met by a ratio of at least the target', () => {
    expect(verdictOn({ atLeast: 0.9 })).toMatchObject({ ratio: 0.9, isMet: true });
    expect(verdictOn({ atLeast: 0.91 })).toMatchObject({ ratio: 0.9, isMet: false });
  });

  test('may be a fixed value; if less is better, half of it is twice as good', () => {
    const against = { value: 2048 };
    expect(verdictOn({ figure: 'memory', against })).toMatchObject({ ratio: 2, isMet: true });
  });

  test('may be against another figure', () => {
    const against = { contender: 'ours', figure: 'memory' };
    expect(verdictOn({ against, atLeast: 0 })?.ratio).toBeCloseTo(90 / 1024);
  });

  test('is not met if one of the two has no figure, and the verdict says why', () => {
    const failed = { ratio: undefined, isMet: false, missing: 'broken failed: lost a byte' };
    expect({ ratio: undefined, ...verdictOn({ against: { contender: 'broken' } }) }).toMatchObject(failed);
    expect(verdictOn({ contender: 'nobody' })).toMatchObject({ isMet: false, missing: 'nobody was not measured' });
  });

  test('without a measurement in the run has no verdict', () => {
    expect(verdictOn({ figure: 'ping-pong' })).toBeUndefined();
  });

  test('that is optional has a verdict only if the run measured the other contender', () => {
    expect(verdictOn({ isOptional: true, atLeast: 0.9 })).toMatchObject({ ratio: 0.9, isMet: true });
    expect(verdictOn({ isOptional: true, against: { contender: 'nobody' } })).toBeUndefined();
  });
});

test('the table has a row for each target, and marks the missed ones', () => {
  const rows: Target[] = [
    { figure: 'bulk', contender: 'ours', against: { contender: 'socket' }, atLeast: 0.85 },
    { figure: 'bulk', contender: 'ours', against: { contender: 'socket' }, atLeast: 10 },
    { figure: 'memory', contender: 'ours', against: { value: 3072 }, atLeast: 1 },
    { figure: 'bulk', contender: 'ours', against: { contender: 'broken' }, atLeast: 1 },
  ];
  expect(renderTargets(judge(rows, [bulk, small]), [bulk, small]).split('\n')).toEqual([
    '  met     0.90× of 0.85×   bulk: ours against socket',
    '  MISSED  0.90× of 10.00×  bulk: ours against socket',
    '  met     3.00× of 1.00×   memory: ours against 3,072 B',
    '  ?             of 1.00×   bulk: ours against broken (broken failed: lost a byte)',
  ]);
});

test('every target has a figure and contenders that a run measures', () => {
  const names = new Map<string, string[]>();
  for (const { benchCase, contenders } of trials) {
    for (const { name } of benchCase.figures)
      names.set(
        name,
        contenders.map((contender) => contender.name),
      );
  }
  for (const { name, pickers } of groups) {
    for (const size of SIZES)
      names.set(
        `${name}-${size}`,
        pickers.filter(({ largest }) => size <= largest).map((picker) => picker.name),
      );
  }
  for (const { benchCase, contenders } of [...tunnelTrials, idleTrial]) {
    // Contenders from the user's releases are measured only if they are named.
    const all = [...contenders.map(({ name }) => name), 'frp', 'frp, TLS', 'piko'];
    for (const { name } of benchCase.figures) names.set(name, all);
  }
  for (const { figures } of fleetCases) for (const { name } of figures) names.set(name, ['@zishuo/yamux-fleet']);
  for (const { figure, contender, against } of targets) {
    expect(names.get(figure), figure).toContain(contender);
    if ('contender' in against) expect(names.get(against.figure ?? figure), figure).toContain(against.contender);
  }
});
