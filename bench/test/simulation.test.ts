// The simulation is deterministic, and every contender completes it. No figure is checked here.
import { describe, expect, test } from 'vitest';
import { Agenda } from '../src/balancer/simulation/agenda.ts';
import { contenders } from '../src/balancer/simulation/contenders.ts';
import { type Scenario, scenarios } from '../src/balancer/simulation/scenarios.ts';
import { simulate } from '../src/balancer/simulation/simulate.ts';

test('an agenda runs events in order of time, and of insertion at the same time', async () => {
  const agenda = new Agenda();
  const done: string[] = [];
  const note = (what: string) => (): void => void done.push(what);
  agenda.in(20, note('late'));
  agenda.in(10, note('first'));
  agenda.in(10, () => {
    done.push('second');
    agenda.in(5, note('between'));
  });
  for (let ms = 30; ms < 60; ms += 1) agenda.in(90 - ms, note(`${90 - ms}`));
  await agenda.run();
  expect(done.slice(0, 4)).toEqual(['first', 'second', 'between', 'late']);
  expect(done.slice(4)).toEqual(Array.from({ length: 30 }, (_, index) => `${index + 31}`));
});

describe.each(scenarios)('where one $name', (scenario) => {
  const short: Scenario = { ...scenario, lasts: 1_500 };

  test.each(contenders)(
    '$name serves, and the same each time',
    async (contender) => {
      const outcome = await simulate(contender, short, 1);
      expect(outcome.requests).toBeGreaterThan(200);
      expect(outcome.errors).toBeLessThan(outcome.requests / 2);
      expect(outcome.p50).toBeGreaterThan(20);
      expect(outcome.p999).toBeLessThanOrEqual(1_000);
      expect(await simulate(contender, short, 1)).toEqual(outcome);
    },
    120_000,
  );
});
