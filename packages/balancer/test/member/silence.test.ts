// For how long a peer has owed answers, as a strategy hears of it, against a count that is made millisecond by millisecond.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Candidate } from '../../src/choosing/strategy.ts';
import { SessionPool } from '../../src/pool.ts';
import { FakeSession, type FakeStream, ManualClock, queueDrained } from '../../src/testing.ts';
import { runs } from '../support/runs.ts';

const nth = fc.nat(100);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('open' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('giveUp' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), nth }) },
);

describe('the silence of a peer', () => {
  it('is the time in which it owed an answer since its last one, whoever has given up meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const clock = new ManualClock();
        const told: number[] = [];
        let seen: Candidate | undefined;
        const strategy = {
          name: 'listening',
          pick: () => 0,
          added: (candidate: Candidate) => {
            seen = candidate;
          },
          answered: () => {},
          unanswered: (_candidate: Candidate, ms: number) => void told.push(ms),
        };
        const pool = new SessionPool({ strategy, clock });
        const session = new FakeSession().answers();
        pool.add(session);
        const owed = new Map<FakeStream, number>();
        let silence = 0;
        for (const one of steps) {
          if (one.do === 'open') {
            await pool.open();
            owed.set(session.streams.at(-1) as FakeStream, clock.now());
          } else if (one.do === 'pass') {
            for (let passed = 0; passed < one.ms; passed += 1) {
              clock.advance(1);
              if (owed.size > 0) silence += 1;
            }
          } else {
            const streams = [...owed.keys()];
            const stream = streams[one.nth % streams.length];
            if (stream === undefined) continue;
            const waited = clock.now() - (owed.get(stream) as number);
            owed.delete(stream);
            if (one.do === 'acknowledge') {
              silence = 0;
              stream.acknowledge();
            } else {
              stream.destroy();
              await queueDrained();
              expect(told.shift()).toBe(Math.max(waited, silence));
            }
          }
          expect(told).toEqual([]);
          expect(seen?.silentSince).toBe(owed.size > 0 ? clock.now() - silence : undefined);
        }
      }),
      runs(200),
    );
  });
});
