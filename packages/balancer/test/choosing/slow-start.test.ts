import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlowStart } from '../../src/choosing/slow-start.ts';
import { leastConn } from '../../src/choosing/strategies/least-conn.ts';
import { peakEwma } from '../../src/choosing/strategies/peak-ewma.ts';
import { weighted } from '../../src/choosing/strategies/weighted.ts';
import type { Strategy } from '../../src/choosing/strategy.ts';
import { SessionPool } from '../../src/pool.ts';
import { FakeSession, ManualClock, seededRandom } from '../../src/testing.ts';
import { candidate } from '../support/candidates.ts';
import { runs } from '../support/runs.ts';

const WINDOW = 10_000;

/** Three sessions with ten streams each, and one that has just joined; so many opens, spread over the window. */
async function joined(strategy: Strategy, opens: number, lasts: number): Promise<number[]> {
  const clock = new ManualClock();
  const pool = new SessionPool({ strategy, clock, random: seededRandom(1) });
  const acknowledging = (): FakeSession => {
    const session = new FakeSession().answers();
    const { open } = session;
    session.open = async (options) => {
      const stream = await open.call(session, options);
      queueMicrotask(() => session.streams.at(-1)?.acknowledge());
      return stream;
    };
    return session;
  };
  for (const key of ['a', 'b', 'c']) pool.add(acknowledging(), { key });
  clock.advance(2 * WINDOW);
  for (let open = 0; open < 30; open += 1) await pool.open();
  const late = pool.add(acknowledging(), { key: 'late' });
  const shares: number[] = [];
  for (let open = 0; open < opens; open += 1) {
    const before = late.snapshot().openAttempts;
    const { stream, session } = await pool.openStream();
    if (lasts === 0) stream.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    shares.push(session.key === 'late' ? 1 : 0);
    expect(late.snapshot().openAttempts).toBe(before + (session.key === 'late' ? 1 : 0));
    clock.advance(WINDOW / opens);
  }
  return shares;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

describe('a slow start', () => {
  it('is a ramp from a tenth to the whole that never goes down', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2 * WINDOW)), (times) => {
        const slowStart = new SlowStart(WINDOW);
        const one = { ...candidate('a'), readySince: 0 };
        const shares = times.sort((a, b) => a - b).map((now) => slowStart.share(one, now));
        shares.forEach((share, index) => {
          expect(share).toBeGreaterThanOrEqual(shares[index - 1] ?? 0.1);
          expect(share).toBeLessThanOrEqual(1);
          if ((times[index] ?? 0) >= WINDOW) expect(share).toBe(1);
        });
      }),
      runs(100),
    );
  });

  it('keeps least-conn from sending all to the one that has just joined', async () => {
    // Without: the next ten opens are its own.
    expect(sum((await joined(leastConn(), 40, 1)).slice(0, 10))).toBe(10);
    const slow = await joined(leastConn({ slowStart: WINDOW }), 40, 1);
    expect(sum(slow.slice(0, 10))).toBeLessThanOrEqual(4);
    expect(sum(slow)).toBeGreaterThan(9);
  });

  it('ramps the weight of weighted', async () => {
    const [first, second] = halves(await joined(weighted({ slowStart: WINDOW }), 80, 0));
    expect(sum(await joined(weighted(), 80, 0))).toBe(20);
    expect(first).toBeLessThan(second);
    expect(first).toBeGreaterThan(0);
  });

  it('raises the cost of peak-ewma', async () => {
    const [slow] = halves(await joined(peakEwma({ slowStart: WINDOW }), 40, 1));
    const [quick] = halves(await joined(peakEwma(), 40, 1));
    expect(slow).toBeLessThan(quick);
    expect(slow).toBeGreaterThan(0);
  });

  it('begins anew when a session has recovered', async () => {
    const clock = new ManualClock();
    const pool = new SessionPool({
      strategy: leastConn({ slowStart: WINDOW }),
      clock,
      healthFailureThreshold: 1,
      openAttempts: 1,
    });
    const session = new FakeSession().refuses(new Error('broken'));
    pool.add(session, { key: 'sick' });
    for (const key of ['b', 'c']) pool.add(new FakeSession().answers(), { key });
    clock.advance(2 * WINDOW);
    await expect(pool.open({ sessionKey: 'sick' })).rejects.toThrow('broken');
    for (let open = 0; open < 20; open += 1) await pool.open();
    session.answers();
    clock.advance(30_000);
    await pool.open({ sessionKey: 'sick' });
    session.streams[0]?.acknowledge();
    const served: string[] = [];
    for (let open = 0; open < 6; open += 1) served.push((await pool.openStream()).session.key);
    expect(served.filter((key) => key === 'sick').length).toBeLessThanOrEqual(1);
  });

  it('is refused where it is no delay', () => {
    expect(() => weighted({ slowStart: -1 })).toThrow(RangeError);
    expect(() => leastConn({ slowStart: Number.NaN })).toThrow(RangeError);
  });
});

function halves(shares: readonly number[]): [number, number] {
  return [sum(shares.slice(0, shares.length / 2)), sum(shares.slice(shares.length / 2))];
}
