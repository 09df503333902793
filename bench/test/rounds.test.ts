import { expect, test } from 'vitest';
import type { Measurable } from '../src/case.ts';
import { cold } from '../src/cases/cold.ts';
import { pingPong } from '../src/cases/ping-pong.ts';
import { type Outcome, ROUND_MS, runRounds, type Series, WARM_UP_MS } from '../src/rounds.ts';

const contenders = ['a', 'b', 'c'].map((name) => ({ name, version: '', note: '' }));

/** Runs two rounds of one case with scripted outcomes, and records the events. */
async function run(
  outcomes: Readonly<Record<string, readonly Outcome[]>>,
  benchCase: Measurable = pingPong,
): Promise<[readonly Series[], string[]]> {
  const log: string[] = [];
  const all = await runRounds({
    trials: [{ benchCase, contenders }],
    rounds: 2,
    start({ name }) {
      const script = [...(outcomes[name] ?? [])];
      return {
        async drive(ms) {
          log.push(`${name} ${ms === WARM_UP_MS ? 'warm-up' : ms === ROUND_MS ? 'round' : ms}`);
          return script.shift() ?? { figures: [log.length] };
        },
        async end() {
          log.push(`${name} end`);
        },
      };
    },
    onRound() {},
  });
  return [all, log];
}

test('all contenders are warmed up, then each round starts with another one, then all end', async () => {
  const [, log] = await run({});
  const turns = [
    'a warm-up',
    'b warm-up',
    'c warm-up',
    'b round',
    'c round',
    'a round',
    'c round',
    'a round',
    'b round',
  ];
  expect(log).toEqual([...turns, 'a end', 'b end', 'c end']);
});

test('a cold case has no warm-up, and a contender ends after its round, before the next one starts', async () => {
  const [all, log] = await run({}, cold(pingPong));
  const turns = [...['b', 'c', 'a'], ...['c', 'a', 'b']];
  expect(log).toEqual(turns.flatMap((name) => [`${name} round`, `${name} end`]));
  expect(all.map(({ rounds }) => rounds.length)).toEqual([2, 2, 2]);
});

test('the figure of the warm-up is not counted', async () => {
  const [all] = await run({ a: [{ figures: [1] }, { figures: [20] }, { figures: [30] }] });
  expect(all[0]?.rounds).toEqual([[20], [30]]);
});

test('a failed contender is not measured again, and does not affect the others', async () => {
  const [all, log] = await run({ b: [{ figures: [1] }, { failure: 'lost a byte' }] });
  expect(all.map(({ failure }) => failure)).toEqual([undefined, 'lost a byte', undefined]);
  expect(all.map(({ rounds }) => rounds.length)).toEqual([2, 0, 2]);
  expect(log.filter((entry) => entry.startsWith('b'))).toEqual(['b warm-up', 'b round', 'b end']);
});
