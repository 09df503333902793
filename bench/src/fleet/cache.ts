// What one remembered name costs. The sources of the fleet are imported: from outside there is more in the memory than the cache.

import { systemClock } from '@zishuo/yamux-balancer';
import { known } from '../../../packages/fleet/src/names/known-placement.ts';
import { NameCache } from '../../../packages/fleet/src/names/name-cache.ts';
import { decodePlacement, encodePlacement } from '../../../packages/fleet/src/redis/values.ts';
import { usedMemory } from '../memory.ts';
import type { FleetCase } from './case.ts';
import { entryOf, nameOf, nodeIdOf } from './entries.ts';

const NAMES = 100_000;

/** As it comes from a connection: new strings each time. */
function copy(text: string): string {
  return Buffer.from(text).toString();
}

export const cache: FleetCase = {
  name: 'fleet-cache',
  isCold: true,
  figures: [
    {
      name: 'fleet-cache',
      title: `fleet, memory for a remembered name, of ${NAMES.toLocaleString('en-US')}`,
      unit: 'B',
      better: 'lower',
    },
  ],
  begin: () => async () => {
    const before = await usedMemory();
    const names = new NameCache({ ttl: 30_000, unknownTtl: 1_000, maxNames: NAMES, maxUnknown: 1 });
    for (let number = 0; number < NAMES; number += 1) {
      const placement = decodePlacement(copy(nodeIdOf(number % 100)), copy(encodePlacement(entryOf(number, 1))));
      if (placement === undefined) throw new Error('expected a placement');
      names.store(copy(nameOf(number)), [known(placement)], systemClock.now());
    }
    const after = await usedMemory();
    if (names.size !== NAMES) throw new Error(`expected ${NAMES} names, got ${names.size}`);
    return [(after - before) / NAMES];
  },
};
