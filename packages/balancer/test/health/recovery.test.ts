import { describe, expect, it } from 'vitest';
import { Recovery } from '../../src/health/recovery.ts';
import { constraintsOf } from '../../src/routing.ts';

class Resting {
  readonly key = 'k';
  readonly id = 'k';
  readonly tags: ReadonlySet<string> = new Set();
  readonly metadata = {};
  readonly turn = 0;
  recovers = true;
  looks = 0;
  readonly condition = {
    quietUntil: 0,
    proved: false,
    nextChange: (): number => Infinity,
    wake: (): void => {
      this.looks += 1;
    },
  };

  constructor(quietUntil: number) {
    this.condition.quietUntil = quietUntil;
  }

  mayBeginTrial(now: number): boolean {
    this.looks += 1;
    return now >= this.condition.quietUntil;
  }

  readonly canPing = false;
  ping(): void {}
}

const UNCONSTRAINED = constraintsOf(undefined);

function recoveryOf(...members: Resting[]): Recovery<Resting> {
  const recovery = new Recovery<Resting>();
  for (const member of members) recovery.update(member);
  return recovery;
}

describe('Recovery', () => {
  it('looks at nobody before the first of them has its time', () => {
    const members = [new Resting(100), new Resting(50), new Resting(200)];
    const recovery = recoveryOf(...members);
    for (let now = 0; now < 50; now += 1) {
      recovery.wake(now);
      expect(recovery.trial(UNCONSTRAINED, [], now, true)).toBeUndefined();
    }
    expect(members.map(({ looks }) => looks)).toEqual([0, 0, 0]);
    recovery.wake(50);
    expect(members.map(({ looks }) => looks)).toEqual([1, 1, 1]);
    expect(recovery.trial(UNCONSTRAINED, [], 50, true)).toBe(members[1]);
  });

  it('looks again when one is told something that may change it sooner', () => {
    const [late, soon] = [new Resting(100), new Resting(100)];
    const recovery = recoveryOf(late, soon);
    recovery.wake(10);
    soon.condition.quietUntil = 20;
    recovery.update(soon);
    recovery.wake(20);
    expect([late.looks, soon.looks]).toEqual([1, 1]);
  });

  it('is quiet again until the next one when the first has recovered', () => {
    const [first, second] = [new Resting(50), new Resting(100)];
    const recovery = recoveryOf(first, second);
    first.recovers = false;
    recovery.update(first);
    for (let now = 50; now < 100; now += 1) recovery.wake(now);
    expect([first.looks, second.looks]).toEqual([0, 1]);
  });

  it('looks at everybody for an open that nobody else can serve', () => {
    const pinged = new Resting(100);
    pinged.mayBeginTrial = () => true;
    expect(recoveryOf(pinged).trial(UNCONSTRAINED, [], 10, false)).toBe(pinged);
  });
});
