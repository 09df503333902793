// What two nodes ask of a real engine, counted by the engine: on a manual clock, so that ten minutes pass in seconds.
import { SessionPool } from '@zishuo/yamux-balancer';
import { FakeSession, ManualClock } from '@zishuo/yamux-balancer/testing';
import { Fleet } from '@zishuo/yamux-fleet';
import { redisDirectory } from '@zishuo/yamux-fleet/redis';
import type { FleetCase } from './case.ts';
import { EngineWatch, startEngine } from './engine.ts';
import { agentOf, nameOf } from './entries.ts';

const NODES = 2;
/** Of each node. */
const AGENTS = 10_000;
const MINUTES = 10;
const MOVES = 100;

interface Node {
  readonly fleet: Fleet;
  readonly pool: SessionPool;
}

class World {
  readonly #clock = new ManualClock();
  readonly #nodes: Node[] = [];

  async start(url: string): Promise<void> {
    for (let number = 0; number < NODES; number += 1) {
      const pool = new SessionPool({ clock: this.#clock });
      const fleet = new Fleet({
        name: `gateway-${number}`,
        pool,
        directory: redisDirectory({ url }),
        clock: this.#clock,
      });
      this.#nodes.push({ fleet, pool });
      await fleet.start();
      for (let agent = 0; agent < AGENTS; agent += 1) this.join(number, number * AGENTS + agent);
    }
    await this.settle();
  }

  join(node: number, agent: number): void {
    this.#nodes[node]?.pool.add(new FakeSession(), {
      key: agentOf(agent),
      id: agentOf(agent),
      tags: [nameOf(agent)],
    });
  }

  leave(node: number, agent: number): void {
    this.#nodes[node]?.pool.removeSession(agentOf(agent));
  }

  /** One second; every beat in it is answered, and all that is to be told has been. */
  async second(): Promise<void> {
    this.#clock.advance(1_000);
    await this.settle();
  }

  async settle(): Promise<void> {
    const isSettled = ({ fleet }: Node): boolean => {
      const { namesUntold, beatAgeMs = Infinity } = fleet.stats();
      return namesUntold === 0 && beatAgeMs < 1_000;
    };
    do {
      await new Promise((resolve) => setImmediate(resolve));
      this.#clock.advance(0);
    } while (!this.#nodes.every(isSettled));
  }
}

export const operations: FleetCase = {
  name: 'fleet-operations',
  isCold: true,
  needsEngine: true,
  figures: [
    {
      name: 'fleet-operations-idle',
      title: `fleet, operations of the engine a minute for 1,000 idle agents, of ${AGENTS.toLocaleString('en-US')} a node`,
      unit: 'operations',
      better: 'lower',
    },
    {
      name: 'fleet-operations-move',
      title: 'fleet, operations of the engine for an agent that moves, for each of the two nodes',
      unit: 'operations',
      better: 'lower',
    },
    {
      name: 'fleet-operations-storm',
      title: `fleet, the same for 1,000 agents, of ${AGENTS.toLocaleString('en-US')} that move at once`,
      unit: 'operations',
      better: 'lower',
    },
  ],
  prepare: async (children) => [await startEngine(children)],
  async begin([url = '']) {
    const watch = new EngineWatch(url);
    const world = new World();
    await watch.connect();
    await world.start(url);
    return async () => {
      const counted = async (act: () => Promise<void>): Promise<number> => {
        const before = await watch.operations();
        await act();
        return (await watch.operations()) - before;
      };
      const idle = await counted(async () => {
        for (let second = 0; second < MINUTES * 60; second += 1) await world.second();
      });
      const moves = await counted(async () => {
        for (let agent = 0; agent < MOVES; agent += 1) {
          world.join(1, agent);
          await world.settle();
          world.leave(0, agent);
          await world.settle();
        }
      });
      const storm = await counted(async () => {
        for (let agent = AGENTS; agent < 2 * AGENTS; agent += 1) {
          world.join(0, agent);
          world.leave(1, agent);
        }
        await world.settle();
      });
      const thousands = AGENTS / 1_000;
      return [idle / MINUTES / NODES / thousands, moves / MOVES / NODES, storm / NODES / thousands];
    };
  },
};
