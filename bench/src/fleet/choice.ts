// The choice of a node for a name that is known: cached lookup, then choice. From outside it cannot be separated from the open that follows, so this file
// imports the sources of the fleet.
import { systemClock } from '@zishuo/yamux-balancer';
import { memoryDirectory, type NodeRecord } from '@zishuo/yamux-fleet';
import { Holdings } from '../../../packages/fleet/src/names/holdings.ts';
import { known } from '../../../packages/fleet/src/names/known-placement.ts';
import { Lookups } from '../../../packages/fleet/src/names/lookups.ts';
import { NameCache } from '../../../packages/fleet/src/names/name-cache.ts';
import { RateLimit } from '../../../packages/fleet/src/names/rate-limit.ts';
import { NodeView } from '../../../packages/fleet/src/nodes/node-view.ts';
import { Opener, type OpenerSettings } from '../../../packages/fleet/src/open/opener.ts';
import type { Figure } from '../case.ts';
import type { FleetCase } from './case.ts';

const NODES = 100;
const NAMES = 1_000;
const STEP = 1_000;

interface Shape {
  readonly name: string;
  readonly title: string;
  /** How many nodes have each name. */
  readonly spread: number;
  readonly isByKey: boolean;
}

const shapes: readonly Shape[] = [
  { name: 'fleet-choice', title: 'a name at two of 100 nodes', spread: 2, isByKey: false },
  { name: 'fleet-choice-key', title: 'a name at two of 100 nodes, by a key', spread: 2, isByKey: true },
  { name: 'fleet-choice-everywhere', title: 'a name at all of 100 nodes', spread: NODES, isByKey: false },
  { name: 'fleet-choice-everywhere-key', title: 'a name at all of 100 nodes, by a key', spread: NODES, isByKey: true },
];

function record(id: string): NodeRecord {
  return { id, name: id, address: `${id}:1`, weight: 1, sessions: 1, load: 1, draining: false };
}

/** Returns a function that chooses so many times. */
function chooser({ spread, isByKey }: Shape): (times: number) => void {
  const clock = systemClock;
  const self = record('self');
  const view = new NodeView(self, 10_000);
  const nodes = Array.from({ length: NODES }, (_, number) => record(`node-${number}`));
  view.update({ nodes, hasForgotten: false, suspicions: 0 }, clock.now(), () => true);
  // Fresh for as long as this runs.
  const cache = new NameCache({ ttl: 3_600_000, unknownTtl: 1_000, maxNames: NAMES, maxUnknown: 1 });
  const names = Array.from({ length: NAMES }, (_, number) => `host-${number}.example`);
  for (const [number, name] of names.entries()) {
    const placements = Array.from({ length: spread }, (_, place) =>
      known({
        node: `node-${(number + place) % NODES}`,
        sessions: 1,
        agents: [{ id: `agent-${number}-${place}`, weight: 1 }],
      }),
    );
    cache.store(name, placements, clock.now());
  }
  const lookups = new Lookups({
    directory: memoryDirectory(),
    cache,
    limit: new RateLimit(1),
    clock,
    isDown: () => false,
    isDoubtful: () => false,
  });
  const settings: Pick<OpenerSettings, 'choice' | 'view' | 'holdings' | 'lookups'> = {
    choice: { self: self.id, choose: 'prefer-local', random: Math.random },
    view,
    holdings: new Holdings(self.id, () => {}),
    lookups,
  };
  // It opens nothing: of the links it asks whether they are up.
  const links: Pick<OpenerSettings['links'], 'isUp'> = { isUp: () => true };
  const opener = new Opener({ ...settings, links } as OpenerSettings);
  const routings = Array.from({ length: NAMES }, (_, key) => (isByKey ? { affinityKey: `user-${key}` } : {}));
  let turn = 0;
  return (times) => {
    for (let done = 0; done < times; done += 1) {
      turn = (turn + 1) % NAMES;
      if (opener.peek(names[turn] as string, routings[turn] as object) === undefined) throw new Error('no node');
    }
  };
}

/** Nanoseconds for one. */
function timed(choose: (times: number) => void, ms: number): number {
  const start = performance.now();
  let times = 0;
  for (;;) {
    choose(STEP);
    times += STEP;
    const passed = performance.now() - start;
    if (passed >= ms) return (passed * 1e6) / times;
  }
}

export const choice: FleetCase = {
  name: 'fleet-choice',
  figures: shapes.map(
    ({ name, title }): Figure => ({
      name,
      title: `fleet, choice and cached lookup, ${title}`,
      unit: 'ns',
      better: 'lower',
    }),
  ),
  begin() {
    const choosers = shapes.map(chooser);
    return async (ms) => choosers.map((choose) => timed(choose, ms / choosers.length));
  },
};
