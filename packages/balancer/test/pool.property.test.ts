// The pool as a whole against a naive model, step by step: whatever is added, removed, drained, opened, answered or closed, in
// whatever order, the pool picks whom the model says, and every count is what a recount says.
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { StrategyName } from '../src/choosing/strategies/named.ts';
import type { RoutingContext } from '../src/routing.ts';
import { queueDrained } from '../src/testing.ts';
import type { Answer } from './support/model-session.ts';
import { PoolModel } from './support/pool-model.ts';
import { runs } from './support/runs.ts';

const key = fc.nat(9).map((number) => `k${number}`);
const id = fc.nat(3).map((number) => `node-${number}`);
const zone = fc.constantFrom('eu', 'us');
const affinityKey = fc.constantFrom('t1', 't2', 't3', 't4', 't5');
const routing: fc.Arbitrary<RoutingContext> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 3, arbitrary: fc.record({ affinityKey }) },
  fc.record({ requiredTags: fc.constantFrom(['eu'], ['light']) }),
  fc.record(
    {
      sessionKey: key,
      sessionId: id,
      requiredMetadata: fc.record({ zone }),
      requiredTags: fc.constantFrom(['eu'], ['us'], ['light'], ['eu', 'light']),
      affinityKey,
    },
    { requiredKeys: [] },
  ),
);

const nth = fc.nat(1_000);
const answer = fc.constantFrom<Answer>('opened', 'opened', 'opened', 'broken', 'broken', 'refused');
const cap = fc.constantFrom(1, 2, 3, Infinity);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), cap }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('open' as const), routing, wait: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), nth, answer }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), nth }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('close' as const), nth, byError: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('remove', 'end', 'drain', 'resume', 'goAway'), nth }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.oneof({ weight: 5, arbitrary: fc.nat(60) }, fc.constantFrom(999, 1_000)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('update' as const), nth, cap, weight: fc.nat(4), zone }) },
);

const strategies = Object.values(StrategyName);

describe('SessionPool', () => {
  it.each(strategies)(
    'is a naive pool with %s, whatever happens in whatever order',
    async (strategy) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 3 }),
          fc.array(step, { maxLength: 120, size: 'max' }),
          // The pool must not depend on whether anybody looks.
          fc.boolean(),
          fc.constantFrom(0, 0, 50, 100),
          async (attempts, steps, isWatched, panicThreshold) => {
            const model = new PoolModel(strategy, attempts, panicThreshold);
            for (const cap of [1, 2, Infinity]) model.add(cap);
            for (const one of steps) {
              if (one.do === 'add') model.add(one.cap);
              else if (one.do === 'open') model.open(one.routing, one.wait);
              else if (one.do === 'answer') await model.answer(one.nth, one.answer);
              else if (one.do === 'close') await model.close(one.nth, one.byError);
              else if (one.do === 'acknowledge') model.acknowledge(one.nth);
              else if (one.do === 'pass') model.pass(one.ms);
              else if (one.do === 'update') model.update(one.nth, one);
              else await model.act(one.do, one.nth);
              await queueDrained();
              model.serveWaiting();
              if (isWatched) model.check();
              if (isWatched) model.explain(one.do === 'open' ? one.routing : {});
            }
            model.check();
            // At the end everything is answered and closed: no slot may be left.
            while (model.all.some(({ load }) => load > 0)) {
              await model.answer(0, 'opened');
              await model.close(0, false);
              model.serveWaiting();
              model.check();
            }
            // Those that wait still are told so.
            await model.settled();
          },
        ),
        runs(80, strategies.length),
      );
      // Of its own: what it takes is CPU, of which a busy machine gives it little.
    },
    180_000,
  );
});
