// What a name costs in the engine, by its own word.
import { redisDirectory } from '@zishuo/yamux-fleet/redis';
import type { FleetCase } from './case.ts';
import { EngineWatch, startEngine, tellNames } from './engine.ts';
import { nameOf } from './entries.ts';

const NAMES = 100_000;
const AT_ONCE = 500;
const many = NAMES.toLocaleString('en-US');

export const engineMemory: FleetCase = {
  name: 'fleet-engine',
  isCold: true,
  needsEngine: true,
  figures: [
    { name: 'fleet-engine', title: `fleet, memory of the engine for a name, of ${many}`, unit: 'B', better: 'lower' },
    {
      name: 'fleet-engine-read',
      title: 'fleet, memory of the engine for a name that one node has looked up',
      unit: 'B',
      better: 'lower',
    },
  ],
  prepare: async (children) => [await startEngine(children)],
  async begin([url = '']) {
    const watch = new EngineWatch(url);
    await watch.connect();
    const directory = redisDirectory({ url });
    return async () => {
      // Connections and scripts are there before.
      await tellNames(directory, 1);
      await directory.lookup(nameOf(0));
      await watch.clear();
      const empty = await watch.usedMemory();
      await tellNames(directory, NAMES);
      const told = await watch.usedMemory();
      for (let first = 0; first < NAMES; first += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => directory.lookup(nameOf(first + index))));
      }
      const read = await watch.usedMemory();
      return [(told - empty) / NAMES, (read - empty) / NAMES];
    };
  },
};
