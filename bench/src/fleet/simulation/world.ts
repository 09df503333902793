// Gateways with agents on one engine, in virtual time. Answers of the engine take no time: so batches are as small as they can be, and operations as many.
import { ManualClock, seededRandom } from '@zishuo/yamux-balancer/testing';
import type { SessionDirectory } from '@zishuo/yamux-fleet';
import { redisDirectory } from '@zishuo/yamux-fleet/redis';
import { nodeRecord } from '../entries.ts';
import { type Counts, SimulatedEngine } from './engine.ts';
import { SimulatedNode } from './node.ts';

export interface Size {
  readonly agents: number;
  readonly gateways: number;
  /** Of all gateways together. */
  readonly requestsPerSecond: number;
}

interface Gateway {
  readonly node: SimulatedNode;
  readonly directory: SessionDirectory;
}

const NOWHERE = -1;

export class World {
  readonly size: Size;
  readonly random: () => number = seededRandom(1);
  readonly #clock = new ManualClock();
  readonly #engine = new SimulatedEngine(this.#clock);
  readonly #gateways: Gateway[] = [];
  /** Where each agent is, by its number. */
  readonly #places: Int16Array;
  #started = 0;
  #requests = 0;

  constructor(size: Size) {
    this.size = size;
    this.#places = new Int16Array(size.agents).fill(NOWHERE);
  }

  get counts(): Counts {
    return this.#engine.counts;
  }

  get requests(): number {
    return this.#requests;
  }

  /** All gateways, and the agents evenly among them. */
  async start(): Promise<void> {
    const { agents, gateways } = this.size;
    for (let place = 0; place < gateways; place += 1) await this.startGateway(place);
    for (let agent = 0; agent < agents; agent += 1) this.join(agent, agent % gateways);
    await this.settle();
  }

  /** A new process, in the place of one that was stopped. */
  async startGateway(place: number): Promise<void> {
    const directory = redisDirectory({ client: this.#engine.client() });
    const record = { ...nodeRecord(this.#started), name: `gateway-${place}` };
    this.#started += 1;
    const node = new SimulatedNode(record, directory, this.#clock, this.random);
    this.#gateways[place] = { node, directory };
    await node.start();
  }

  async stopGateway(place: number): Promise<void> {
    const { node, directory } = this.#gateways[place] as Gateway;
    await node.stop();
    await directory.close();
  }

  placeOf(agent: number): number {
    return this.#places[agent] as number;
  }

  join(agent: number, place: number): void {
    this.#places[agent] = place;
    this.#gateways[place]?.node.join(agent);
  }

  leave(agent: number): void {
    this.#gateways[this.placeOf(agent)]?.node.leave(agent);
    this.#places[agent] = NOWHERE;
  }

  /** To the new one first. */
  move(agent: number, place: number): void {
    const before = this.#gateways[this.placeOf(agent)];
    this.join(agent, place);
    before?.node.leave(agent);
  }

  /** Another gateway, by chance. */
  placeBeside(place: number): number {
    const { gateways } = this.size;
    return (place + 1 + Math.floor(this.random() * (gateways - 1))) % gateways;
  }

  /** Lets time pass. `each` is called before each of its steps, with the number of ms that have passed. */
  async pass(ms: number, step: number, each: (passed: number) => void = () => {}): Promise<void> {
    const { requestsPerSecond } = this.size;
    let due = 0;
    for (let passed = 0; passed < ms; passed += step) {
      each(passed);
      for (due += (requestsPerSecond * step) / 1_000; due >= 1; due -= 1) this.#ask();
      this.#clock.advance(step);
      await turn();
    }
  }

  /** Until everything has been told. Resolves with the ms that it took. */
  async settle(): Promise<number> {
    const before = this.#clock.now();
    do {
      this.#clock.advance(1);
      await turn();
    } while (this.#gateways.some(({ node }) => node.untold > 0));
    return this.#clock.now() - before;
  }

  async close(): Promise<void> {
    for (let place = 0; place < this.size.gateways; place += 1) await this.stopGateway(place);
  }

  /** At a gateway by chance. Agents are not asked alike: the n-th as often as one n-th of the first. */
  #ask(): void {
    const { agents, gateways } = this.size;
    const agent = Math.min(agents - 1, Math.floor(agents ** this.random()));
    this.#requests += 1;
    void this.#gateways[Math.floor(this.random() * gateways)]?.node.ask(agent);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
