// A pick alone. From outside it cannot be separated from its open, so this file imports the sources of the balancer.
import { Candidates } from '../../../packages/balancer/src/choosing/candidates.ts';
import { Chooser } from '../../../packages/balancer/src/choosing/chooser.ts';
import { createStrategy, type StrategyName } from '../../../packages/balancer/src/choosing/strategies/named.ts';
import { systemClock } from '../../../packages/balancer/src/clock.ts';
import { Classifier } from '../../../packages/balancer/src/health/failure.ts';
import { Recovery } from '../../../packages/balancer/src/health/recovery.ts';
import { Member } from '../../../packages/balancer/src/member/member.ts';
import type { MemberPort } from '../../../packages/balancer/src/member/member-port.ts';
import type { Slot } from '../../../packages/balancer/src/member/slots.ts';
import { Hooks } from '../../../packages/balancer/src/observe/hooks.ts';
import { Picker as PoolPicker } from '../../../packages/balancer/src/open/picker.ts';
import { sessionSettings } from '../../../packages/balancer/src/options.ts';
import { constraintsOf, type RoutingContext } from '../../../packages/balancer/src/routing.ts';
import { FakeSession } from '../../../packages/balancer/src/testing.ts';
import type { Picker } from './picker.ts';

class Scene {
  readonly candidates: Candidates<Member>;
  readonly chooser: Chooser;
  readonly #picker: PoolPicker;

  constructor(strategy: StrategyName, sessions: number) {
    const hooks = new Hooks({}, this);
    const home = { now: () => Date.now(), random: Math.random, bound: () => {}, evicted: () => {} };
    this.chooser = new Chooser(createStrategy(strategy), home, hooks);
    this.candidates = new Candidates(this.chooser.order);
    this.#picker = new PoolPicker(this.candidates, new Recovery<Member>(), this.chooser, systemClock);
    const port: MemberPort = {
      clock: systemClock,
      health: { threshold: 3, probeInterval: 30_000, probeTimeout: 10_000 },
      classifier: new Classifier(undefined, hooks),
      hooks,
      isTimed: this.chooser.isTimed,
      answered: (member, ms) => this.chooser.answered(member, ms),
      unanswered: () => {},
      faulted: () => {},
      changed: (member) => this.candidates.update(member),
      retagged: () => {},
      updated: () => {},
      drains: () => {},
      ended: () => {},
      failed: () => {},
    };
    for (let number = 1; number <= sessions; number += 1) {
      const options = {
        key: `s${number}`,
        id: strategy === 'rendezvous' ? `s${number}` : `node-${number % 10}`,
        tags: [`route-${number}`],
        metadata: { zone: number % 2 ? 'eu' : 'us' },
      };
      const settings = sessionSettings({ ...options, weight: 1 + (number % 5) }, () => '', Infinity);
      const member = new Member(port, new FakeSession(), settings, this.candidates.takeOrdinal(), number);
      this.candidates.add(member);
      this.chooser.added(member);
      // A session without a response would be picked for that reason.
      if (this.chooser.isTimed) this.chooser.answered(member, 1 + (number % 50));
    }
  }

  pick(constraints: ReturnType<typeof constraintsOf>, routing: RoutingContext): Member | undefined {
    return this.#picker.pick(routing, constraints, NONE);
  }
}

const NONE: readonly Member[] = [];
const SLOT: Slot = {
  previous: undefined,
  next: undefined,
  abandon: () => {},
  reset: () => {},
  move: () => {},
};

const LARGEST: Partial<Record<StrategyName, number>> = { weighted: 10_000, rendezvous: 10_000 };

/** Only a pick. */
export function pick(strategy: StrategyName, routing: RoutingContext = {}, what = ''): Picker {
  return {
    name: `${strategy}${what}`,
    largest: LARGEST[strategy] ?? 100_000,
    make: (sessions) => {
      const scene = new Scene(strategy, sessions);
      const constraints = constraintsOf(routing);
      return (times) => {
        for (let turn = 0; turn < times; turn += 1) scene.pick(constraints, routing);
      };
    },
  };
}

/** Affinity, with one of 1,000 bound keys. */
export const pickByKey: Picker = {
  name: 'affinity, 1,000 keys',
  largest: 100_000,
  make: (sessions) => {
    const scene = new Scene('affinity', sessions);
    const constraints = constraintsOf(undefined);
    const routings = Array.from({ length: 1_000 }, (_, key) => ({ affinityKey: `tenant-${key}` }));
    return (times) => {
      for (let turn = 0; turn < times; turn += 1) scene.pick(constraints, routings[turn % 1_000] ?? {});
    };
  },
};

/** Affinity, with a new key each time: above `maxBindings` each binding replaces the least recently used one. */
export const pickByNewKey: Picker = {
  name: 'affinity, a new key each time',
  largest: 100_000,
  make: (sessions) => {
    const scene = new Scene('affinity', sessions);
    const constraints = constraintsOf(undefined);
    let key = 0;
    return (times) => {
      for (let turn = 0; turn < times; turn += 1) {
        key += 1;
        scene.pick(constraints, { affinityKey: `tenant-${key}` });
      }
    };
  },
};

/** A pick with its slot taken and released: the place in the order changes twice. */
export function reserve(strategy: StrategyName): Picker {
  return {
    name: strategy,
    largest: LARGEST[strategy] ?? 100_000,
    make: (sessions) => {
      const scene = new Scene(strategy, sessions);
      const constraints = constraintsOf(undefined);
      let now = sessions;
      return (times) => {
        for (let turn = 0; turn < times; turn += 1) {
          const member = scene.pick(constraints, {});
          now += 1;
          member?.begin(SLOT, now);
          member?.opened();
          member?.release(SLOT);
        }
      };
    },
  };
}
