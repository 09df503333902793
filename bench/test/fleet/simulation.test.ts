// The simulation is held to what it stands for: its engine to a real one, its node to a whole Fleet. No figure is checked.
import { createClient } from '@redis/client';
import { SessionPool } from '@zishuo/yamux-balancer';
import { FakeSession, ManualClock, seededRandom } from '@zishuo/yamux-balancer/testing';
import { Fleet, type SessionDirectory } from '@zishuo/yamux-fleet';
import { type RedisClientLike, redisDirectory } from '@zishuo/yamux-fleet/redis';
import { afterEach, describe, expect, test } from 'vitest';
import { EngineWatch, engineIsMissing, startEngine } from '../../src/fleet/engine.ts';
import { agentOf, entryOf, nameOf, nodeIdOf, nodeRecord } from '../../src/fleet/entries.ts';
import { type Counts, SimulatedEngine } from '../../src/fleet/simulation/engine.ts';
import { SimulatedNode } from '../../src/fleet/simulation/node.ts';
import { scenarios, simulateFleet } from '../../src/fleet/simulation/scenarios.ts';
import { Children } from '../../src/tunnel/children.ts';

const NODES = 3;
const NAMES = 12;
const STEPS = 600;

/** What three nodes do, by chance: what each answer was. */
async function play(directories: readonly SessionDirectory[]): Promise<readonly unknown[]> {
  const random = seededRandom(7);
  const upTo = (count: number): number => Math.floor(random() * count);
  const answers: unknown[] = [];
  let seq = 0;
  for (let step = 0; step < STEPS; step += 1) {
    const node = upTo(NODES);
    const directory = directories[node] as SessionDirectory;
    const [what, count, first] = [random(), 1 + upTo(4), upTo(NAMES)];
    if (what < 0.3) {
      const { seq: known, nodes } = await directory.beat(nodeRecord(node), 600_000);
      answers.push([known, nodes.map(({ id }) => id).sort()]);
    } else if (what < 0.6) {
      const entries = Array.from({ length: count }, (_, index) => {
        seq += 1;
        return { ...entryOf((first + index) % NAMES, seq, node), sessions: upTo(2) };
      });
      await directory.publish(entries);
    } else if (what < 0.98) {
      const found = await directory.lookup(nameOf(first));
      answers.push(found.map(({ node: id, sessions }) => [id, sessions]).sort());
    } else {
      await directory.leave(nodeIdOf(node));
    }
  }
  return answers;
}

/** Three, with all of their connections made, and their scripts known. */
async function connected(client: RedisClientLike): Promise<SessionDirectory[]> {
  const directories = Array.from({ length: NODES }, () => redisDirectory({ client }));
  for (const [number, directory] of directories.entries()) {
    await directory.beat(nodeRecord(9), 600_000);
    await directory.publish([entryOf(0, number + 1, 9)]);
    await directory.lookup(nameOf(0));
    await directory.leave(nodeIdOf(9));
  }
  return directories;
}

/** The names that all of them are told of, from now on. */
function heard(directories: readonly SessionDirectory[]): string[] {
  const names: string[] = [];
  const listener = { changed: (name: string) => void names.push(name), unsure: () => {}, up: () => {}, down: () => {} };
  for (const directory of directories) directory.watch(listener);
  return names;
}

describe('the engine', () => {
  const children = new Children();
  afterEach(() => children.end());
  const missing = engineIsMissing();
  if (missing !== undefined) console.warn(`skipped: the simulated engine against a real one, ${missing}`);

  test.skipIf(missing !== undefined)('answers, hints and is asked as a real one is, byte for byte', async () => {
    const url = await startEngine(children);
    const watch = new EngineWatch(url);
    await watch.connect();
    const real = await connected(createClient({ url }));
    const realHints = heard(real);
    const operations = await watch.operations();
    const traffic = await watch.traffic();
    const answers = await play(real);
    const after = await watch.traffic();

    const engine = new SimulatedEngine(new ManualClock());
    const simulated = await connected(engine.client());
    const hints = heard(simulated);
    const before = engine.counts;
    expect(await play(simulated)).toEqual(answers);
    const counts = engine.counts;
    expect({
      operations: counts.operations - before.operations,
      in: counts.bytesIn - before.bytesIn,
      out: counts.bytesOut - before.bytesOut,
    }).toEqual({
      operations: (await watch.operations()) - operations,
      in: after.in - traffic.in,
      out: after.out - traffic.out,
    });
    expect(realHints.sort()).toEqual(hints.sort());
    expect(counts.hints - before.hints).toBe(hints.length);
    expect(hints.length).toBeGreaterThan(10);
    await Promise.all([...real, ...simulated].map((directory) => directory.close()));
    watch.close();
  });
});

interface Player {
  readonly untold: () => number;
  join(agent: number): void;
  leave(agent: number): void;
  ask(agent: number): Promise<unknown>;
  start(): Promise<void>;
  stop(): Promise<unknown>;
}

/** Three nodes for two minutes, with agents that come, move and are asked for. */
async function count(
  make: (number: number, directory: SessionDirectory, clock: ManualClock) => Player,
): Promise<Counts> {
  const clock = new ManualClock();
  const engine = new SimulatedEngine(clock);
  const random = seededRandom(3);
  const upTo = (limit: number): number => Math.floor(random() * limit);
  const directories = Array.from({ length: NODES }, () => redisDirectory({ client: engine.client() }));
  // They are connected before a node begins.
  await new Promise((resolve) => setImmediate(resolve));
  const nodes = directories.map((directory, number) => make(number, directory, clock));
  const at = (place: number): Player => nodes[place] as Player;
  for (const node of nodes) await node.start();
  const places = Array.from({ length: 30 }, (_, agent) => agent % NODES);
  for (const [agent, place] of places.entries()) at(place).join(agent);
  for (let step = 0; step < 1_200; step += 1) {
    if (step % 10 === 0) {
      const agent = upTo(places.length);
      const place = upTo(NODES);
      const from = places[agent] as number;
      if (place !== from) {
        at(place).join(agent);
        at(from).leave(agent);
        places[agent] = place;
      }
    }
    await at(upTo(NODES)).ask(upTo(places.length + 3));
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(nodes.map((node) => node.untold())).toEqual([0, 0, 0]);
  for (const node of nodes) await node.stop();
  for (const directory of directories) await directory.close();
  return engine.counts;
}

test('a node asks for as much as a whole Fleet does', async () => {
  const simulated = await count((number, directory, clock) => {
    const node = new SimulatedNode(nodeRecord(number), directory, clock, () => 0);
    return {
      untold: () => node.untold,
      join: (agent) => node.join(agent),
      leave: (agent) => node.leave(agent),
      ask: (agent) => node.ask(agent),
      start: () => node.start(),
      stop: () => node.stop(),
    };
  });
  const whole = await count((number, directory, clock) => {
    const pool = new SessionPool({ clock });
    const { name, address } = nodeRecord(number);
    const fleet = new Fleet({ name, address, pool, directory, clock, random: () => 0 });
    return {
      untold: () => fleet.stats().namesUntold,
      join: (agent) => {
        pool.add(new FakeSession(), { key: agentOf(agent), id: agentOf(agent), tags: [nameOf(agent)] });
      },
      leave: (agent) => pool.removeSession(agentOf(agent)),
      ask: async (agent) => {
        const isOwn = fleet.placements(nameOf(agent)).some(({ isSelf }) => isSelf);
        if (!isOwn) await fleet.lookup(nameOf(agent)).catch(() => {});
      },
      start: () => fleet.start(),
      stop: () => fleet.close(),
    };
  });
  const { bytesIn: _in, bytesOut: _out, ...counts } = simulated;
  expect(counts.reads).toBeGreaterThan(100);
  expect(whole).toMatchObject(counts);
});

test.each(scenarios)('where $title: the same each time', async (scenario) => {
  const size = { agents: 600, gateways: 4, requestsPerSecond: 100 };
  const outcome = await simulateFleet(scenario, size);
  expect(outcome.operations).toBeGreaterThan(0);
  expect(await simulateFleet(scenario, size)).toEqual(outcome);
});
