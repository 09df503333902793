import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundRobin } from '../../../src/choosing/strategies/round-robin.ts';
import { Weighted } from '../../../src/choosing/strategies/weighted.ts';
import { SessionPool } from '../../../src/pool.ts';
import { FakeSession } from '../../../src/testing.ts';
import { candidate, type FakeCandidate, picks, viewOf } from '../../support/candidates.ts';
import { opened } from '../../support/pool-with.ts';
import { runs } from '../../support/runs.ts';

function weigh(weights: readonly number[]): { sessions: FakeCandidate[]; strategy: Weighted } {
  const strategy = new Weighted();
  const sessions = weights.map((weight, index) => candidate(String.fromCharCode(97 + index), weight));
  for (const session of sessions) strategy.added(session);
  return { sessions, strategy };
}

function picked(weights: readonly number[], times: number): string[] {
  const { sessions, strategy } = weigh(weights);
  return picks((view) => strategy.pick(view), sessions, times);
}

const RUNS = runs(100, 5);

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const weightsOf = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 10 });

describe('weighted', () => {
  it('spreads the picks of 5, 1, 1 as the published algorithm does', () => {
    expect(picked([5, 1, 1], 14).join('')).toBe('aabacaaaabacaa');
  });

  it('gives each candidate exactly its weight in every round', () => {
    fc.assert(
      fc.property(weightsOf, (weights) => {
        const round = sum(weights);
        const keys = picked(weights, 3 * round);
        for (let start = 0; start < keys.length; start += round) {
          const counts = new Map<string, number>();
          for (const key of keys.slice(start, start + round)) counts.set(key, (counts.get(key) ?? 0) + 1);
          expect(weights.map((_, index) => counts.get(String.fromCharCode(97 + index)))).toEqual(weights);
        }
      }),
      RUNS,
    );
  });

  it('is never two picks away from the exact share, and never lets one wait for twice its turn', () => {
    fc.assert(
      fc.property(weightsOf, (weights) => {
        const round = sum(weights);
        const keys = picked(weights, 2 * round);
        weights.forEach((weight, index) => {
          const key = String.fromCharCode(97 + index);
          let count = 0;
          let last = -1;
          keys.forEach((one, at) => {
            if (one === key) {
              count += 1;
              expect(at - last).toBeLessThanOrEqual(Math.ceil((2 * round) / weight));
              last = at;
            }
            expect(Math.abs(count - ((at + 1) * weight) / round)).toBeLessThan(2);
          });
        });
      }),
      RUNS,
    );
  });

  it('is round-robin where all weights are equal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 8 }), (weight, length) => {
        const turns = roundRobin();
        expect(turns.order).toBe('least-recent');
        const inTurn = Array.from({ length: 20 }, (_, pick) => String.fromCharCode(97 + (pick % length)));
        expect(picked(Array(length).fill(weight), 20)).toEqual(inTurn);
      }),
      RUNS,
    );
  });

  it('does not care for the scale of the weights', () => {
    fc.assert(
      fc.property(weightsOf, fc.integer({ min: 2, max: 9 }), (weights, factor) => {
        const scaled = weights.map((weight) => weight * factor);
        expect(picked(scaled, 60)).toEqual(picked(weights, 60));
      }),
      RUNS,
    );
  });

  it('owes nobody anything in sum, whatever joins, leaves, rests or changes its weight', () => {
    const step = fc.record({
      do: fc.constantFrom('pick', 'pick', 'pick', 'add', 'remove', 'weigh'),
      nth: fc.nat(20),
      weight: fc.nat(9),
      resting: fc.nat(255),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { sessions, strategy } = weigh([3, 2, 1]);
        const removed: FakeCandidate[] = [];
        for (const { do: what, nth, weight, resting } of steps) {
          const one = sessions[nth % Math.max(1, sessions.length)];
          if (what === 'add' && sessions.length < 8) {
            const joining = candidate(`k${nth}`, weight);
            sessions.push(joining);
            strategy.added(joining);
          } else if (what === 'remove' && one !== undefined) {
            sessions.splice(sessions.indexOf(one), 1);
            removed.push(one);
            strategy.removed(one);
          } else if (what === 'weigh' && one !== undefined) {
            one.weight = weight;
            strategy.updated(one);
          } else {
            const eligible = sessions.filter((_, index) => (resting & (1 << index)) === 0);
            if (eligible.length > 0) strategy.pick(viewOf(eligible));
          }
          expect(sum(sessions.map((one) => strategy.owedTo(one)))).toBeCloseTo(0, 6);
          for (const gone of removed) expect(strategy.owedTo(gone)).toBe(0);
        }
      }),
      RUNS,
    );
  });

  it('never picks a weight of 0, unless there is no other', () => {
    expect(picked([0, 2, 1], 6).join('')).toBe('bcbbcb');
    expect(picked([0, 0], 4).join('')).toBe('abab');
  });

  it('keeps what sessions are owed when another joins', () => {
    const { sessions, strategy } = weigh([4, 1]);
    const pick = (times: number): string => picks((view) => strategy.pick(view), sessions, times).join('');
    expect(pick(2)).toBe('aa');
    const joining = candidate('c', 1);
    sessions.push(joining);
    strategy.added(joining);
    // b has waited through two picks of a: it does not start anew because somebody joined.
    expect(sessions.map((one) => strategy.owedTo(one))).toEqual([-2, 2, 0]);
    expect(pick(1)).toBe('b');
  });

  it('holds nothing against a session whose weight is changed', () => {
    const { sessions, strategy } = weigh([100, 1]);
    const [a, b] = sessions as [FakeCandidate, FakeCandidate];
    picks((view) => strategy.pick(view), sessions, 50);
    a.weight = 1;
    strategy.updated(a);
    const keys = picks((view) => strategy.pick(view), sessions, 20);
    expect(keys.filter((key) => key === b.key)).toHaveLength(10);
  });

  it('does not change what a session is owed when something else of it is updated', () => {
    const { sessions, strategy } = weigh([2, 1]);
    strategy.pick(viewOf(sessions));
    strategy.updated(sessions[0] as FakeCandidate);
    expect(sessions.map((one) => strategy.owedTo(one))).toEqual([-1, 1]);
  });

  it('serves a pool by the weights of its sessions', async () => {
    const pool = new SessionPool({ strategy: 'weighted' });
    for (const [key, weight] of [
      ['a', 5],
      ['b', 1],
      ['c', 1],
    ] as const) {
      pool.add(new FakeSession().answers(), { key, weight });
    }
    expect(await opened(pool, 7)).toBe('aabacaa');
    // Asking what the pool is like is not picking: the sequence goes on where it was.
    expect(await opened(pool, 3)).toBe('aab');
    pool.stats();
    expect(await opened(pool, 4)).toBe('acaa');
    pool.removeSession('a');
    const keys = await opened(pool, 10);
    expect([...keys].filter((key) => key === 'b')).toHaveLength(5);
  });
});
