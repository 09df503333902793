import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Health } from '../../src/health/health.ts';
import { runs } from '../support/runs.ts';

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
      expect(health.succeeded(epoch, 0)).toBe(false);
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
    expect([health.isProbing(99), health.mayBePinged(99), health.mayBeginTrial(99)]).toEqual([false, false, false]);
    expect([health.isProbing(100), health.mayBePinged(100), health.mayBeginTrial(100)]).toEqual([true, true, true]);
    expect(health.nextProbeAt(100)).toBe(100);
    health.pinged(100);
    expect(health.mayBePinged(101)).toBe(false);
    expect(health.nextProbeAt(101)).toBeUndefined();
  });

  it('is proved by a pong, and healthy by the answer to its trial', () => {
    const health = unhealthyAt(0);
    health.ponged(health.pinged(100), 105);
    expect([health.proved, health.healthy]).toEqual([true, false]);
    health.beginTrial(110);
    expect([health.proved, health.mayBeginTrial(115)]).toEqual([false, false]);
    expect(health.succeeded(health.epoch, 115)).toBe(true);
    expect([health.healthy, health.failures]).toEqual([true, 0]);
  });

  it.each([
    ['a ping that fails', (health: Health, now: number) => void health.failed(health.pinged(now), now)],
    ['a ping without an answer', (health: Health, now: number) => void health.pinged(now - RULES.probeTimeout)],
    [
      'a trial that fails',
      (health: Health, now: number) => {
        health.beginTrial(now);
        health.failed(health.epoch, now);
      },
    ],
    [
      'a trial that is refused',
      (health: Health, now: number) => {
        health.beginTrial(now);
        health.refused(health.epoch, now);
      },
    ],
    ['a trial without an answer', (health: Health, now: number) => health.beginTrial(now - RULES.probeTimeout)],
  ])('rests twice as long after %s, up to five minutes', (_what, probe) => {
    const health = unhealthyAt(0);
    let now = 100;
    for (const interval of [
      200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400, 204_800, 300_000, 300_000,
    ]) {
      now += RULES.probeTimeout;
      probe(health, now);
      expect(health.nextProbeAt(now)).toBe(now + interval);
      now += interval;
    }
  });

  it('rests for the plain interval again after it was healthy', () => {
    const health = unhealthyAt(0);
    health.beginTrial(100);
    health.failed(health.epoch, 100);
    health.beginTrial(300);
    health.succeeded(health.epoch, 310);
    for (let failure = 0; failure < 3; failure += 1) health.failed(health.epoch, 400);
    expect(health.nextProbeAt(400)).toBe(500);
  });

  it('lets the next open try when the user of the trial ended it before anything could be known', () => {
    const health = unhealthyAt(0);
    health.beginTrial(100);
    health.inconclusive(health.epoch, 101);
    expect([health.proved, health.mayBeginTrial(101)]).toEqual([true, true]);
  });

  it('is not healed, and not punished further, by what began before it was unhealthy', () => {
    const health = new Health(RULES);
    const before = health.epoch;
    for (let failure = 0; failure < 3; failure += 1) health.failed(before, 0);
    health.succeeded(before, 50);
    health.failed(before, 50);
    health.inconclusive(before, 50);
    expect([health.healthy, health.failures, health.nextProbeAt(50)]).toEqual([false, 3, 100]);
    health.beginTrial(100);
    health.succeeded(before, 105);
    health.failed(before, 105);
    health.refused(before, 105);
    expect([health.healthy, health.nextProbeAt(105)]).toEqual([false, undefined]);
  });

  it('is not healed by the answer to a trial that took too long, nor by the pong of a ping that did', () => {
    const health = unhealthyAt(0);
    health.ponged(health.pinged(100), 120);
    expect(health.proved).toBe(false);
    health.beginTrial(320);
    expect(health.succeeded(health.epoch, 340)).toBe(false);
    expect(health.healthy).toBe(false);
  });

  it('waits on for a trial of which bytes have come, whenever that is noticed, and for that trial alone', () => {
    const health = unhealthyAt(0);
    let received = false;
    health.awaitBytes(health.epoch, () => true);
    expect(health.hasBytes, 'of no trial').toBe(false);
    health.beginTrial(100);
    health.awaitBytes(health.epoch - 1, () => true);
    expect(health.hasBytes, 'of an earlier one').toBe(false);
    health.awaitBytes(health.epoch, () => received);
    expect([health.hasBytes, health.isProbing(119)]).toEqual([false, true]);
    received = true;
    expect([health.hasBytes, health.nextProbeAt(1_000)]).toEqual([true, undefined]);
    expect(health.succeeded(health.epoch, 1_000)).toBe(true);
    for (let failure = 0; failure < 3; failure += 1) health.failed(health.epoch, 1_000);
    health.beginTrial(1_100);
    expect(health.hasBytes, 'of the one before').toBe(false);
    expect(health.nextProbeAt(1_120)).toBe(1_320);
  });

  it('says until when time changes nothing', () => {
    expect(new Health(RULES).quietUntil).toBe(Infinity);
    const health = unhealthyAt(0);
    expect(health.quietUntil).toBe(100);
    health.ponged(health.pinged(100), 110);
    expect(health.quietUntil, 'the next open may try').toBe(-Infinity);
    health.beginTrial(110);
    expect(health.quietUntil).toBe(130);
    health.awaitBytes(health.epoch, () => false);
    expect(health.quietUntil, 'bytes tell nobody').toBe(-Infinity);
    health.failed(health.epoch, 120);
    expect(health.quietUntil).toBe(320);
    health.pinged(320);
    expect(health.quietUntil).toBe(340);
  });

  it('rests from the moment at which a probe took too long, not from the one at which somebody noticed', () => {
    const health = unhealthyAt(0);
    health.beginTrial(100);
    expect(health.nextProbeAt(1_000)).toBe(320);
    expect(health.mayBeginTrial(1_000)).toBe(true);
  });

  it('has one probe at a time, is the same however often it is looked at, and is healthy within an interval and one open', () => {
    const event = fc.record({
      do: fc.constantFrom('fail', 'fail', 'succeed', 'stale', 'ping', 'pong', 'noPong', 'try', 'inconclusive'),
      passed: fc.nat(60),
      nth: fc.nat(10),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const health = new Health(RULES);
        const watched = new Health(RULES);
        let now = 0;
        const epochs = [health.epoch];
        let ping: number | undefined;
        for (const { do: what, passed, nth } of events) {
          const until = now + passed;
          const { quietUntil } = watched;
          const before = view(watched, now);
          for (; now < until; now += 1) {
            const seen = view(watched, now);
            if (now === Math.min(until, quietUntil) - 1) expect(seen, 'while it is quiet').toEqual(before);
          }
          const stale = epochs[nth % epochs.length] as number;
          const probing = !watched.healthy && !watched.mayBePinged(now) && watched.nextProbeAt(now) === undefined;
          const mayBePinged = watched.mayBePinged(now);
          const mayBeginTrial = watched.mayBeginTrial(now);
          const { epoch } = watched;
          for (const one of [health, watched]) {
            if (what === 'fail') one.failed(epoch, now);
            else if (what === 'succeed') one.succeeded(epoch, now);
            else if (what === 'stale') one.succeeded(stale === epoch ? -1 : stale, now);
            else if (what === 'ping' && mayBePinged) ping = one.pinged(now);
            else if (what === 'pong' && ping !== undefined) one.ponged(ping, now);
            else if (what === 'noPong' && ping !== undefined) one.failed(ping, now);
            else if (what === 'try' && mayBeginTrial) one.beginTrial(now);
            else if (what === 'inconclusive') one.inconclusive(epoch, now);
          }
          if (probing) expect(watched.mayBePinged(now)).toBe(false);
          epochs.push(watched.epoch);
        }
        expect(view(health, now)).toEqual(view(watched, now));
        if (health.healthy) return;
        // The peer is well from now on.
        now = Math.max(now, health.nextProbeAt(now) ?? now + RULES.probeTimeout);
        now = Math.max(now, health.nextProbeAt(now) ?? now);
        expect(health.mayBeginTrial(now)).toBe(true);
        health.beginTrial(now);
        expect(health.succeeded(health.epoch, now)).toBe(true);
      }),
      runs(100),
    );
  });
});

function view(health: Health, now: number): object {
  const mayBe = { tried: health.mayBeginTrial(now), pinged: health.mayBePinged(now) };
  const { healthy, failures, proved, epoch } = health;
  return { healthy, failures, proved, epoch, nextProbeAt: health.nextProbeAt(now), mayBe };
}
