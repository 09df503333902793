// The Go programs carry each of their cases for a short time, between two processes as in the bench. No figure is checked.
import { afterEach, expect, test } from 'vitest';
import { idleMemory } from '../src/cases/idle-memory.ts';
import { buildGoYamux, goYamux } from '../src/go-yamux.ts';
import { Pair } from '../src/pair.ts';
import { trials } from '../src/trials.ts';

const missing = await buildGoYamux();
if (missing !== undefined) console.warn(`the Go side of the bench is not tested: ${missing}`);

let pair: Pair | undefined;
afterEach(async () => pair?.end());

const cases = trials
  .filter(({ benchCase, contenders }) => contenders.includes(goYamux) && benchCase.link === undefined)
  .map(({ benchCase }) => (benchCase.name === 'idle-memory' ? idleMemory(50) : benchCase))
  .filter(({ load }) => Number(load.streams ?? 0) < 10_000);

test.skipIf(missing !== undefined).each(cases)('$name', async (benchCase) => {
  pair = new Pair(goYamux, benchCase);
  for (const ms of [20, 20]) {
    const outcome = await pair.drive(ms);
    expect(outcome).toEqual({ figures: benchCase.figures.map(() => expect.any(Number)) });
  }
});

test.skipIf(missing !== undefined)('a load that it does not know is the outcome, in its words', async () => {
  const [unknown] = cases.map((benchCase) => ({ ...benchCase, load: { kind: 'juggling' } }));
  pair = new Pair(goYamux, unknown as (typeof cases)[number]);
  const failure = 'this program has no case of the kind juggling';
  expect(await pair.drive(20)).toEqual({ failure });
  expect(await pair.drive(20)).toEqual({ failure });
});
