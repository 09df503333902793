// What happens to a fleet, and what that asks of its engine.
import type { Counts } from './engine.ts';
import { type Size, World } from './world.ts';

export interface Outcome extends Counts {
  readonly name: string;
  readonly title: string;
  readonly seconds: number;
  readonly requests: number;
  /** Of one second. */
  readonly mostOperations: number;
  /** In and out, of one second. */
  readonly mostBytes: number;
}

interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly seconds: (size: Size) => number;
  readonly isQuiet?: true;
  /** Calls `second` after each. */
  run(world: World, second: () => void): Promise<void>;
}

const SECOND = 1_000;
const IDLE_SECONDS = 300;
const REQUESTS_SECONDS = 60;
const RECONNECT_SECONDS = 30;
/** From the drain of one gateway to that of the next: its agents move in the first two of them. */
const ROLL_SECONDS = 3;

export const scenarios: readonly Scenario[] = [
  {
    name: 'idle',
    title: 'nothing happens',
    seconds: () => IDLE_SECONDS,
    isQuiet: true,
    async run(world, second) {
      for (let passed = 0; passed < IDLE_SECONDS; passed += 1) {
        await world.pass(SECOND, 10);
        second();
      }
    },
  },
  {
    name: 'requests',
    title: 'requests at all gateways',
    seconds: () => REQUESTS_SECONDS,
    async run(world, second) {
      for (let passed = 0; passed < REQUESTS_SECONDS; passed += 1) {
        await world.pass(SECOND, 1);
        second();
      }
    },
  },
  {
    name: 'reconnect',
    title: 'all agents are cut off, and come to another gateway',
    seconds: () => RECONNECT_SECONDS,
    async run(world, second) {
      const { agents } = world.size;
      const before = Int16Array.from({ length: agents }, (_, agent) => world.placeOf(agent));
      for (let agent = 0; agent < agents; agent += 1) world.leave(agent);
      const order = shuffled(agents, world.random);
      let next = 0;
      for (let passed = 0; passed < RECONNECT_SECONDS; passed += 1) {
        await world.pass(SECOND, 1, (ms) => {
          const until = Math.ceil((agents * (passed * SECOND + ms + 1)) / (RECONNECT_SECONDS * SECOND));
          for (; next < until; next += 1) {
            const agent = order[next] as number;
            world.join(agent, world.placeBeside(before[agent] as number));
          }
        });
        second();
      }
    },
  },
  {
    name: 'roll',
    title: 'every gateway is replaced, one after the other',
    seconds: ({ gateways }) => gateways * ROLL_SECONDS,
    async run(world, second) {
      const { agents, gateways } = world.size;
      for (let place = 0; place < gateways; place += 1) {
        const own: number[] = [];
        for (let agent = 0; agent < agents; agent += 1) if (world.placeOf(agent) === place) own.push(agent);
        const all = own.length;
        for (let passed = 0; passed < ROLL_SECONDS; passed += 1) {
          if (passed === ROLL_SECONDS - 1) {
            await world.stopGateway(place);
            await world.startGateway(place);
          }
          await world.pass(SECOND, 1, (ms) => {
            const left = all - Math.ceil((all * (passed * SECOND + ms + 1)) / ((ROLL_SECONDS - 1) * SECOND));
            while (own.length > Math.max(0, left)) world.move(own.pop() as number, world.placeBeside(place));
          });
          second();
        }
      }
    },
  },
];

/** Each scenario in a world of its own, after its caches have filled. */
export async function simulateFleet({ name, title, seconds, isQuiet, run }: Scenario, size: Size): Promise<Outcome> {
  const world = new World(isQuiet ? { ...size, requestsPerSecond: 0 } : size);
  await world.start();
  if (!isQuiet) await world.pass(RECONNECT_SECONDS * SECOND, 1);
  const before = world.counts;
  const requests = world.requests;
  let last = before;
  let mostOperations = 0;
  let mostBytes = 0;
  await run(world, () => {
    const now = world.counts;
    mostOperations = Math.max(mostOperations, now.operations - last.operations);
    mostBytes = Math.max(mostBytes, now.bytesIn + now.bytesOut - last.bytesIn - last.bytesOut);
    last = now;
  });
  const passed = Object.fromEntries(
    Object.entries(last).map(([key, value]) => [key, value - before[key as keyof Counts]]),
  ) as unknown as Counts;
  const lasted = seconds(size);
  await world.close();
  return { name, title, seconds: lasted, requests: world.requests - requests, ...passed, mostOperations, mostBytes };
}

function shuffled(length: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  for (let index = length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [order[index], order[other]] = [order[other] as number, order[index] as number];
  }
  return order;
}
