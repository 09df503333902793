// A fleet of three nodes whose agents, links, engine and processes fail in any order, and beside it what a naive model expects: of a request, whether it
// must be served, and by whom it may be; of the end, that every node sees the same.
import { expect } from 'vitest';
import { MemoryNetwork } from './memory-network.ts';
import { type TestAgent, type TestNode, turn, World } from './world.ts';

export const SLOTS = 3;
export const NAMES: readonly string[] = ['one', 'two'];

export type Event =
  | { readonly do: 'join'; readonly slot: number; readonly names: readonly string[] }
  | { readonly do: 'leave' | 'drain'; readonly nth: number }
  | { readonly do: 'kill' | 'restart' | 'cutDirectory'; readonly slot: number }
  | { readonly do: 'cutLink'; readonly slot: number; readonly other: number }
  | { readonly do: 'mend' | 'stop' | 'resume' | 'clear' | 'nothing' }
  | { readonly do: 'pass'; readonly ms: number };

export interface Request {
  readonly slot: number;
  readonly name: string;
  readonly key?: string | undefined;
}

/** Requests, and what happens while they are on their way. */
export interface Step {
  readonly requests: readonly Request[];
  readonly event: Event;
}

interface ModelNode {
  readonly node: TestNode;
  readonly port: number;
  isDead: boolean;
  /** Its directory hears nothing. */
  isCut: boolean;
  /** It was asked for the name and another node served: who knows, and whom. */
  readonly known: Map<string, Set<ModelNode>>;
}

interface ModelAgent {
  readonly agent: TestAgent;
  readonly at: ModelNode;
  isGone: boolean;
}

/** ms after which nothing is in doubt any more: the directory's lost memory (10 s), pauses between dials, unknown names. */
const CALM = 15_000;
/** ms after which nothing is remembered that was not looked up again. */
const FORGOTTEN = 32_000;

export class FleetModel {
  readonly #world = new World();
  readonly #network = new MemoryNetwork();
  readonly #slots: ModelNode[] = [];
  readonly #agents: ModelAgent[] = [];
  readonly #cutLinks = new Set<string>();
  #ports = 0;
  #isStopped = false;
  /** By the clock: the last event but of time. */
  #disturbedAt = 0;

  async start(): Promise<void> {
    for (let slot = 0; slot < SLOTS; slot += 1) await this.#startNode(slot);
    await this.#pass(CALM);
  }

  async step({ requests, event }: Step): Promise<void> {
    const isEngineSpared = !['clear', 'stop', 'cutDirectory'].includes(event.do);
    const asked = requests.map((request) => ({
      request,
      from: this.#slots[request.slot] as ModelNode,
      musts: this.#whoMust(request, isEngineSpared),
      answer: this.#ask(request),
    }));
    const happened = this.#happen(event);
    const settled = await this.#settled(Promise.all(asked.map(({ answer }) => answer)));
    await happened;
    for (const [index, { request, from, musts }] of asked.entries()) {
      this.#check(request, from, musts, settled[index] as Answer);
    }
  }

  /** All faults end, and time passes: every node sees the same. */
  async converge(): Promise<void> {
    this.#resume();
    this.#mend();
    await this.#pass(FORGOTTEN);
    const alive = this.#slots.filter(({ isDead }) => !isDead);
    const spare = this.#world.engine.connect();
    for (const { node } of alive) {
      const seen = node.fleet.nodes().map(({ id, isReachable }) => [id, isReachable]);
      expect(seen.sort()).toEqual(alive.map((one) => [one.node.fleet.id, true]).sort());
      expect(node.fleet.stats()).toMatchObject({ namesUntold: 0, directoryDownMs: undefined });
    }
    for (const name of NAMES) {
      const told = (await spare.lookup(name)).filter(({ node: id }) => alive.some(({ node }) => node.fleet.id === id));
      const serving = this.#serving(name);
      const counts = new Map<string, number>();
      for (const { at } of serving) counts.set(at.node.fleet.id, (counts.get(at.node.fleet.id) ?? 0) + 1);
      expect(new Map(told.map(({ node, sessions }) => [node, sessions]))).toEqual(counts);
      for (const slot of this.#slots.keys()) {
        if ((this.#slots[slot] as ModelNode).isDead) continue;
        const [answer] = await this.#settled(Promise.all([this.#ask({ slot, name })]));
        if (serving.length === 0) expect(answer).toHaveProperty('error');
        else expect(serving.map(({ agent }) => ({ id: agent.id }))).toContainEqual(answer);
      }
    }
  }

  async close(): Promise<void> {
    this.#resume();
    await this.#world.close();
  }

  /** The agents that must be able to serve it, whatever else is lost. */
  #whoMust({ slot, name }: Request, isEngineSpared: boolean): ModelAgent[] {
    const from = this.#slots[slot] as ModelNode;
    if (from.isDead) return [];
    const now = this.#world.clock.now();
    const isQuiet = now - this.#disturbedAt >= CALM && isEngineSpared;
    const isCalm = isQuiet && !this.#isStopped && this.#slots.every(({ isCut }) => !isCut);
    return this.#serving(name).filter(
      ({ at }) => at === from || (this.#isReached(from, at) && (isCalm || from.known.get(name)?.has(at) === true)),
    );
  }

  #check(request: Request, from: ModelNode, mustBefore: readonly ModelAgent[], answer: Answer): void {
    if ('id' in answer) {
      const served = this.#agents.find(({ agent }) => agent.id === answer.id) as ModelAgent;
      expect(served.agent.names, 'only agents that serve the name').toContain(request.name);
      if (served.at !== from && this.#isReached(from, served.at) && !served.isGone)
        this.#learn(from, request.name, served.at);
      return;
    }
    // What could serve before and behind the event must have served.
    const must = mustBefore.filter(
      ({ at, isGone }) => !isGone && (at === from || this.#isReached(from, at)) && !from.isDead,
    );
    expect(
      must.map(({ agent }) => agent.id),
      `${JSON.stringify(request)} failed with ${answer.error}`,
    ).toEqual([]);
  }

  #learn(from: ModelNode, name: string, at: ModelNode): void {
    // What is taught while the engine is in doubt may be forgotten with it.
    if (from.isCut || at.isCut || this.#isStopped) return;
    const nodes = from.known.get(name) ?? new Set();
    from.known.set(name, nodes.add(at));
  }

  async #ask({ slot, name, key }: Request): Promise<Answer> {
    const { node } = this.#slots[slot] as ModelNode;
    try {
      const { stream, session } = await node.fleet.openStream(name, key === undefined ? {} : { affinityKey: key }, {
        acknowledged: true,
      });
      stream.on('error', () => {});
      stream.destroy();
      return { id: String(session?.id) };
    } catch (error) {
      return { error: String((error as { code?: unknown }).code ?? error) };
    }
  }

  #happen(event: Event): Promise<void> | undefined {
    if (event.do !== 'pass' && event.do !== 'nothing') this.#disturbedAt = this.#world.clock.now();
    switch (event.do) {
      case 'join':
        return void this.#join(event.slot, event.names);
      case 'leave':
        return void this.#leave(this.#living()[event.nth % (this.#living().length || 1)]);
      case 'drain':
        return void this.#drain(this.#living()[event.nth % (this.#living().length || 1)]);
      case 'kill':
        return void this.#kill(event.slot);
      case 'restart':
        this.#kill(event.slot);
        return this.#startNode(event.slot);
      case 'cutDirectory':
        return void this.#cutDirectory(event.slot);
      case 'cutLink':
        return void this.#cutLink(event.slot, event.other);
      case 'mend':
        return void this.#mend();
      case 'stop':
        this.#isStopped = true;
        return void this.#world.engine.stop();
      case 'resume':
        return void this.#resume();
      case 'clear':
        return void this.#clear();
      case 'pass':
        return this.#pass(event.ms);
      case 'nothing':
        return undefined;
    }
  }

  async #startNode(slot: number): Promise<void> {
    this.#ports += 1;
    const port = this.#ports;
    const name = `node ${slot}`;
    const peers = { network: this.#network.at(port) };
    const starting = this.#world.node(name, peers, { address: `${name}:${port}` });
    const [node] = await this.#settled(Promise.all([starting]));
    this.#slots[slot] = { node: node as TestNode, port, isDead: false, isCut: false, known: new Map() };
    for (const [other, { port: otherPort }] of this.#slots.entries()) {
      if (this.#cutLinks.has(pairOf(slot, other))) this.#network.cut(port, otherPort);
    }
  }

  #join(slot: number, names: readonly string[]): void {
    const at = this.#slots[slot] as ModelNode;
    if (at.isDead) return;
    const agent = at.node.agent(`agent ${this.#agents.length}`, names);
    this.#agents.push({ agent, at, isGone: false });
  }

  #leave(one: ModelAgent | undefined): void {
    if (one === undefined) return;
    this.#gone(one);
    one.agent.near.destroy();
  }

  #drain(one: ModelAgent | undefined): void {
    if (one === undefined) return;
    this.#gone(one);
    for (const session of one.at.node.pool.sessions()) if (session.id === one.agent.id) session.drain();
  }

  #gone(one: ModelAgent): void {
    one.isGone = true;
    for (const name of one.agent.names) {
      if (this.#serving(name).some(({ at }) => at === one.at)) continue;
      for (const { known } of this.#slots) known.get(name)?.delete(one.at);
    }
  }

  #kill(slot: number): void {
    const one = this.#slots[slot] as ModelNode;
    if (one.isDead) return;
    for (const agent of this.#living().filter(({ at }) => at === one)) this.#leave(agent);
    one.isDead = true;
    one.node.directory.cut();
    this.#network.kill(one.port);
  }

  #cutDirectory(slot: number): void {
    const one = this.#slots[slot] as ModelNode;
    if (one.isDead) return;
    one.isCut = true;
    one.node.directory.cut();
  }

  #cutLink(slot: number, other: number): void {
    if (slot === other) return;
    const [one, two] = [this.#slots[slot] as ModelNode, this.#slots[other] as ModelNode];
    this.#cutLinks.add(pairOf(slot, other));
    this.#network.cut(one.port, two.port);
    // A node that neither a link nor the directory names is forgotten.
    for (const nodes of one.known.values()) nodes.delete(two);
    for (const nodes of two.known.values()) nodes.delete(one);
  }

  #mend(): void {
    this.#cutLinks.clear();
    this.#network.mend();
    for (const one of this.#slots) {
      if (one.isDead || !one.isCut) continue;
      one.isCut = false;
      one.node.directory.mend();
    }
  }

  #resume(): void {
    this.#isStopped = false;
    this.#world.engine.resume();
  }

  /** What only the engine's memory kept is lost: of nodes that cannot tell it again. */
  #clear(): void {
    this.#world.engine.clear();
    for (const { known, isCut } of this.#slots) {
      for (const nodes of known.values())
        for (const at of nodes) if (at.isCut || isCut || this.#isStopped) nodes.delete(at);
    }
  }

  /** Also the one that is on its way: of a link that is up again it is not said when. */
  #isReached(from: ModelNode, to: ModelNode): boolean {
    const status = from.node.fleet.nodes().find(({ id }) => id === to.node.fleet.id);
    return !from.isDead && !to.isDead && status?.isReachable === true;
  }

  #living(): ModelAgent[] {
    return this.#agents.filter(({ isGone }) => !isGone);
  }

  #serving(name: string): ModelAgent[] {
    return this.#living().filter(({ agent }) => agent.names.includes(name));
  }

  async #pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      this.#world.clock.advance(100);
      await turn();
      await turn();
    }
  }

  /** Time passes until it is settled, which must be soon. */
  async #settled<Value>(promise: Promise<Value>): Promise<Value> {
    const state = { isDone: false };
    const done = (): void => {
      state.isDone = true;
    };
    promise.then(done, done);
    for (let turns = 0; !state.isDone; turns += 1) {
      expect(turns, 'turns of 5 ms').toBeLessThan(2_000);
      await turn();
      if (turns > 10) this.#world.clock.advance(5);
    }
    return promise;
  }
}

type Answer = { readonly id: string } | { readonly error: string };

function pairOf(one: number, other: number): string {
  return [one, other].sort().join('-');
}
