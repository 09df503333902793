import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Health } from '../src/health.ts';

const RULES = { threshold: 3, probeInterval: 100, probeTimeout: 20 };

function unhealthyAt(now: number): Health {
  const health = new Health(RULES);
  for (let failure = 0; failure < RULES.threshold; failure += 1) health.failed(health.epoch, now);
  return health;
}

describe('Health', () => {
  it('turns unhealthy at the failure that makes the row full, and tells that once', () => {
    const health = new Health(RULES);
    const { epoch } = health;
    expect([1, 2, 3, 4].map(() => health.failed(epoch, 0))).toEqual([false, false, true, false]);
    expect(health.healthy).toBe(false);
    expect(health.failures).toBe(3);
  });

  it('counts failures in a row: a success begins a new one', () => {
    const health = new Health(RULES);
    const { epoch } = health;
    for (let round = 0; round < 10; round += 1) {
      health.failed(epoch, 0);
      health.failed(epoch, 0);
      expect(health.succeeded(epoch)).toBe(false);
    }
    expect(health.healthy).toBe(true);
  });

  it('stays healthy for ever where no number of failures is too much', () => {
    const health = new Health({ ...RULES, threshold: Infinity });
    for (let failure = 0; failure < 1_000; failure += 1) health.failed(health.epoch, 0);
    expect(health.healthy).toBe(true);
  });

  it('rests for the interval, then may be pinged once', () => {
    const health = unhealthyAt(0);
    expect([health.isProbing(99), health.mayBePinged(99), health.mayBeTried(99)]).toEqual([false, false, false]);
    expect([health.isProbing(100), health.mayBePinged(100), health.mayBeTried(100)]).toEqual([true, true, true]);
    expect(health.nextProbeAt).toBe(100);
    health.pinged(100);
    expect(health.mayBePinged(101)).toBe(false);
    expect(health.nextProbeAt).toBeUndefined();
  });

  it('is proved by a pong, and healthy by the answer to its trial', () => {
    const health = unhealthyAt(0);
    health.ponged(health.pinged(100));
    expect([health.proved, health.healthy]).toEqual([true, false]);
    health.tried(110);
    expect([health.proved, health.mayBeTried(115)]).toEqual([false, false]);
    expect(health.succeeded(health.epoch)).toBe(true);
    expect([health.healthy, health.failures]).toEqual([true, 0]);
  });

  it.each([
    ['a ping that fails', (health: Health, now: number) => void health.failed(health.pinged(now), now)],
    [
      'a ping without an answer',
      (health: Health, now: number) => {
        health.pinged(now - RULES.probeTimeout);
        health.tick(now);
      },
    ],
    [
      'a trial that fails',
      (health: Health, now: number) => {
        health.tried(now);
        health.failed(health.epoch, now);
      },
    ],
    [
      'a trial that is refused',
      (health: Health, now: number) => {
        health.tried(now);
        health.refused(health.epoch, now);
      },
    ],
    [
      'a trial without an answer',
      (health: Health, now: number) => {
        health.tried(now - RULES.probeTimeout);
        health.tick(now);
      },
    ],
  ])('rests twice as long after %s, up to five minutes', (_what, probe) => {
    const health = unhealthyAt(0);
    let now = 100;
    for (const interval of [
      200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400, 204_800, 300_000, 300_000,
    ]) {
      now += RULES.probeTimeout;
      probe(health, now);
      expect(health.nextProbeAt).toBe(now + interval);
      now += interval;
    }
  });

  it('rests for the plain interval again after it was healthy', () => {
    const health = unhealthyAt(0);
    health.tried(100);
    health.failed(health.epoch, 100);
    health.tried(300);
    health.succeeded(health.epoch);
    for (let failure = 0; failure < 3; failure += 1) health.failed(health.epoch, 400);
    expect(health.nextProbeAt).toBe(500);
  });

  it('lets the next open try when the user of the trial ended it before anything could be known', () => {
    const health = unhealthyAt(0);
    health.tried(100);
    health.inconclusive(health.epoch);
    expect([health.proved, health.mayBeTried(101)]).toEqual([true, true]);
  });

  it('is not healed, and not punished further, by what began before it was unhealthy', () => {
    const health = new Health(RULES);
    const before = health.epoch;
    for (let failure = 0; failure < 3; failure += 1) health.failed(before, 0);
    health.succeeded(before);
    health.failed(before, 50);
    health.inconclusive(before);
    expect([health.healthy, health.failures, health.nextProbeAt]).toEqual([false, 3, 100]);
    health.tried(100);
    health.succeeded(before);
    health.failed(before, 105);
    health.refused(before, 105);
    expect([health.healthy, health.nextProbeAt]).toEqual([false, undefined]);
  });

  it('is not healed by the answer to a trial that took too long, nor by the pong of a ping that did', () => {
    const health = unhealthyAt(0);
    const ping = health.pinged(100);
    health.tick(120);
    health.ponged(ping);
    expect(health.proved).toBe(false);
    health.tried(320);
    const { epoch } = health;
    health.tick(340);
    expect(health.succeeded(epoch)).toBe(false);
    expect(health.healthy).toBe(false);
  });

  it('has one probe at a time, and is healthy within an interval and one open of its peer, whatever came before', () => {
    const event = fc.record({
      do: fc.constantFrom('fail', 'fail', 'succeed', 'stale', 'ping', 'pong', 'noPong', 'try', 'inconclusive', 'tick'),
      passed: fc.nat(60),
      nth: fc.nat(10),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const health = new Health(RULES);
        let now = 0;
        const epochs = [health.epoch];
        let ping: number | undefined;
        const twin = new Health(RULES); // the same events make the same state
        for (const { do: what, passed, nth } of events) {
          now += passed;
          const stale = epochs[nth % epochs.length] as number;
          const probing = !health.healthy && !health.mayBePinged(now) && health.nextProbeAt === undefined;
          for (const one of [health, twin]) {
            if (what === 'fail') one.failed(one.epoch, now);
            else if (what === 'succeed') one.succeeded(one.epoch);
            else if (what === 'stale') one.succeeded(stale === one.epoch ? -1 : stale);
            else if (what === 'ping' && one.mayBePinged(now)) ping = one.pinged(now);
            else if (what === 'pong' && ping !== undefined) one.ponged(ping);
            else if (what === 'noPong' && ping !== undefined) one.failed(ping, now);
            else if (what === 'try' && one.mayBeTried(now)) one.tried(now);
            else if (what === 'inconclusive') one.inconclusive(one.epoch);
            else one.tick(now);
          }
          if (probing) expect(health.mayBePinged(now)).toBe(false);
          if (!epochs.includes(health.epoch)) epochs.push(health.epoch);
          expect({ ...view(twin, now) }).toEqual(view(health, now));
        }
        if (health.healthy) return;
        // The peer is well from now on.
        now = Math.max(now, health.nextProbeAt ?? now + RULES.probeTimeout);
        health.tick(now);
        now = Math.max(now, health.nextProbeAt ?? now);
        expect(health.mayBeTried(now)).toBe(true);
        health.tried(now);
        expect(health.succeeded(health.epoch)).toBe(true);
      }),
    );
  });
});

function view(health: Health, now: number): object {
  const { healthy, failures, nextProbeAt, proved, epoch } = health;
  return {
    healthy,
    failures,
    nextProbeAt,
    proved,
    epoch,
    tried: health.mayBeTried(now),
    ping: health.mayBePinged(now),
  };
}
