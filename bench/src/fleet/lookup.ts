// A lookup of a name that is not remembered, on a real engine, one after the other.
import { SessionPool } from '@zishuo/yamux-balancer';
import { Fleet } from '@zishuo/yamux-fleet';
import { redisDirectory } from '@zishuo/yamux-fleet/redis';
import { percentile } from '../statistics.ts';
import type { FleetCase } from './case.ts';
import { startEngine, tellNames } from './engine.ts';
import { nameOf } from './entries.ts';

const NAMES = 10_000;

/** The duration of each, in ms. */
async function lookUp(fleet: Fleet, next: () => string, placements: number, ms: number): Promise<readonly number[]> {
  const durations: number[] = [];
  for (const start = performance.now(); performance.now() < start + ms; ) {
    const name = next();
    const { lookups } = fleet.stats();
    const before = performance.now();
    const found = await fleet.lookup(name);
    durations.push(performance.now() - before);
    if (found.length !== placements || fleet.stats().lookups !== lookups + 1) throw new Error('expected a lookup');
  }
  return durations;
}

export const lookup: FleetCase = {
  name: 'fleet-lookup',
  needsEngine: true,
  figures: [
    { name: 'fleet-lookup-p50', title: 'fleet, lookup of a name, p50', unit: 'ms', better: 'lower' },
    { name: 'fleet-lookup-p99', title: 'fleet, lookup of a name, p99', unit: 'ms', better: 'lower' },
    { name: 'fleet-lookup-strange-p50', title: 'fleet, lookup of a strange name, p50', unit: 'ms', better: 'lower' },
    { name: 'fleet-lookup-strange-p99', title: 'fleet, lookup of a strange name, p99', unit: 'ms', better: 'lower' },
  ],
  prepare: async (children) => [await startEngine(children)],
  async begin([url = '']) {
    const directory = redisDirectory({ url });
    await tellNames(directory, NAMES);
    // It remembers one name, so that every other one is looked up.
    const fleet = new Fleet({
      name: 'bench',
      pool: new SessionPool(),
      directory,
      maxCachedNames: 1,
      maxUnknownLookups: 1e9,
    });
    await fleet.start();
    let turn = 0;
    const next = (): string => {
      turn += 1;
      return nameOf(turn % NAMES);
    };
    const nextStranger = (): string => {
      turn += 1;
      return `${turn}.stranger.example`;
    };
    return async (ms) => {
      const ofKnown = await lookUp(fleet, next, 1, ms / 2);
      const ofStrange = await lookUp(fleet, nextStranger, 0, ms / 2);
      return [ofKnown, ofStrange].flatMap((durations) => [percentile(durations, 50), percentile(durations, 99)]);
    };
  },
};
