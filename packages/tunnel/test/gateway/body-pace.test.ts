import { describe, expect, it } from 'vitest';
import { BodyPace } from '../../src/gateway/body-pace.ts';
import { DialRate } from '../../src/gateway/dial-rate.ts';

const limits = { bodyTimeout: 60_000, minBodyRate: 100 };
const code = { code: 'ERR_TUNNEL_BODY_TIMEOUT' };

describe('the pace of a body', () => {
  it('is too slow below minBodyRate over five seconds', () => {
    const pace = new BodyPace(limits, 0);
    expect(pace.check({ isAwaited: true, received: 1 }, false, 4_999)).toBeUndefined();
    expect(pace.check({ isAwaited: true, received: 499 }, false, 5_000)).toMatchObject(code);
    const faster = new BodyPace(limits, 0);
    expect(faster.check({ isAwaited: true, received: 500 }, false, 5_000)).toBeUndefined();
    expect(faster.check({ isAwaited: true, received: 501 }, false, 10_000)).toMatchObject(code);
  });

  it('is not too slow over a link that stood still, though a few bytes came at the beginning and at the end of that', () => {
    const pace = new BodyPace(limits, 0);
    let received = 0;
    let now = 0;
    const arrive = (bytes: number): unknown => {
      received += bytes;
      now += 5_000;
      return pace.check({ isAwaited: true, received }, false, now);
    };
    for (const bytes of [45_000, 360, 0, 0, 0, 0, 300, 45_000]) expect(arrive(bytes)).toBeUndefined();
    expect([arrive(300), arrive(300), arrive(300)]).toMatchObject([undefined, undefined, code]);
  });

  it('is no matter while the agent takes nothing, and once there is an answer', () => {
    const pace = new BodyPace(limits, 0);
    expect(pace.check({ isAwaited: false, received: 1 }, false, 6_000)).toBeUndefined();
    expect(pace.check({ isAwaited: true, received: 2 }, true, 12_000)).toBeUndefined();
    expect(pace.check({ isAwaited: true, received: 3 }, false, 16_000)).toBeUndefined();
    expect(pace.check({ isAwaited: true, received: 4 }, false, 17_000)).toMatchObject(code);
  });

  it('has an end at bodyTimeout, however fast it is', () => {
    const pace = new BodyPace(limits, 0);
    expect(pace.check({ isAwaited: true, received: 1e9 }, false, 59_999)).toBeUndefined();
    expect(pace.check({ isAwaited: true, received: 2e9 }, false, 60_000)).toMatchObject(code);
  });
});

describe('the rate of dials', () => {
  it('is maxDialsPerSecond, and twice as many at once', () => {
    const rate = new DialRate(10);
    const taken = (now: number): number => Array.from({ length: 50 }, () => rate.take(now)).filter(Boolean).length;
    expect([taken(0), taken(0), taken(500), taken(600), taken(100_000)]).toEqual([20, 0, 5, 1, 20]);
  });
});
