// The processes of the demo: origins, agents, gateways and the load balancer, and the order in which they start and stop.
import { randomBytes } from 'node:crypto';
import type { Command } from '../program.ts';
import { signToken } from '../token.ts';
import { Child } from './child.ts';
import { Front } from './front.ts';
import { type GatewayMore, GatewayPlace } from './gateway-place.ts';
import { type Origin, startOrigin } from './origin.ts';

export interface AgentSpec {
  readonly agent: string;
  /** In its token: its share of the requests. */
  readonly weight: number;
}

export const HOST = 'demo.localhost';
const DAY = 86_400_000;
/** Of each agent to each gateway, so that an agent that dies takes more than one. */
const SESSIONS = 2;

/** Which gateways there are, and who dials which. */
export interface Shape {
  readonly gateways: readonly GatewayMore[];
  /** By the number of an agent, the gateways that it dials; undefined: all. */
  readonly dialedBy?: (agent: number) => readonly number[];
  /** Whether a load balancer distributes the requests; else they go to the first gateway. */
  readonly hasFront: boolean;
}

const NOTHING_MORE: GatewayMore = { args: [], env: {} };
const TWO: Shape = { gateways: [NOTHING_MORE, NOTHING_MORE], hasFront: true };

export class Fleet {
  readonly gateways: readonly GatewayPlace[];
  /** Processes that were asked to end, and did not with exit code 0. */
  readonly unclean: string[] = [];
  #front: Front | undefined;
  readonly #agents = new Map<string, Child>();
  readonly #origins = new Map<string, Origin>();
  readonly #specs: readonly AgentSpec[];
  readonly #secret: string;
  readonly #logs: boolean;
  readonly #shape: Shape;

  static async start(specs: readonly AgentSpec[], logs: boolean, shape: Shape = TWO): Promise<Fleet> {
    const secret = randomBytes(32).toString('base64url');
    const gateways = await Promise.all(shape.gateways.map((more) => GatewayPlace.open(secret, logs, more)));
    const fleet = new Fleet(specs, gateways, secret, logs, shape);
    await Promise.all(specs.map(({ agent }) => fleet.startAgent(agent)));
    if (shape.hasFront) fleet.#front = await Front.listen(gateways.map(({ backend }) => backend));
    return fleet;
  }

  private constructor(
    specs: readonly AgentSpec[],
    gateways: readonly GatewayPlace[],
    secret: string,
    logs: boolean,
    shape: Shape,
  ) {
    this.#shape = shape;
    this.#specs = specs;
    this.gateways = gateways;
    this.#secret = secret;
    this.#logs = logs;
  }

  /** Where requests go. */
  get url(): string {
    return this.#front?.url ?? this.gateways[0]?.url ?? '';
  }

  /** Resolves when all its sessions are there. An agent that ran before gets a new process and keeps its origin. */
  async startAgent(agent: string): Promise<void> {
    const weight = this.#specs.find((spec) => spec.agent === agent)?.weight;
    const origin = this.#origins.get(agent) ?? (await startOrigin(agent));
    this.#origins.set(agent, origin);
    // localhost and 127.0.0.1, so that one can try it with curl.
    const routes = [HOST, 'localhost', '127.0.0.1'];
    const token = signToken({ agent, tenant: 'demo', routes, weight, expires: Date.now() + DAY }, this.#secret);
    const args = ['--target', origin.url, '--connections', String(SESSIONS)];
    for (const { url } of this.#dialedBy(agent)) args.push('--gateway', `${url.replace('http', 'ws')}/connect`);
    const { child } = await Child.start({ program: 'agent', args, env: { TUNNEL_TOKEN: token }, logs: this.#logs });
    this.#agents.set(agent, child);
  }

  async killAgent(agent: string): Promise<void> {
    await this.#agents.get(agent)?.kill();
  }

  /** Resolves when it has taken effect at every gateway. */
  async command(command: Command): Promise<void> {
    await Promise.all(this.gateways.map(({ process }) => process.command(command)));
  }

  /** A rolling restart: one gateway after the other, each after the previous one is back with all its agents. */
  async restartGateways(onStep: (text: string) => void): Promise<void> {
    for (const [index, gateway] of this.gateways.entries()) {
      onStep(`gateway ${index + 1} is asked to stop, as by SIGTERM, and started anew`);
      const code = await gateway.restart(this.#sessionsAt(gateway));
      if (code !== 0) this.unclean.push(`gateway ${index + 1} ended with ${code}`);
      await this.#front?.becomesReady(gateway.backend);
    }
  }

  /** Kills the process with SIGKILL. Resolves when it is dead. */
  async killGateway(index: number): Promise<void> {
    await this.gateways[index]?.process.kill();
  }

  /** Resolves when another process is there in place of one that was killed, with its agents, and requests come to it. */
  async beginGateway(index: number): Promise<void> {
    const gateway = this.gateways[index] as GatewayPlace;
    await gateway.begin(this.#sessionsAt(gateway));
    await this.#front?.becomesReady(gateway.backend);
  }

  #dialedBy(agent: string): readonly GatewayPlace[] {
    const number = this.#specs.findIndex((spec) => spec.agent === agent);
    const dialed = this.#shape.dialedBy?.(number);
    return this.gateways.filter((_, index) => dialed?.includes(index) !== false);
  }

  #sessionsAt(gateway: GatewayPlace): number {
    return this.#specs.filter(({ agent }) => this.#dialedBy(agent).includes(gateway)).length * SESSIONS;
  }

  /** The most memory that each process has had, in bytes. */
  async measure(): Promise<ReadonlyMap<string, number>> {
    const memory = new Map<string, number>();
    for (const [name, child] of this.#processes()) memory.set(name, await child.command({ type: 'measure' }));
    return memory;
  }

  /** Agents first, so that nothing is cut. */
  async stop(): Promise<void> {
    this.#front?.close();
    const stop = async ([name, child]: readonly [string, Child]): Promise<void> => {
      const code = await child.stop();
      if (code !== 0) this.unclean.push(`${name} ended with ${code}`);
    };
    await Promise.all([...this.#agents].map(stop));
    await Promise.all(this.#gatewayProcesses().map(stop));
    for (const origin of this.#origins.values()) origin.close();
  }

  #processes(): readonly (readonly [string, Child])[] {
    return [...this.#gatewayProcesses(), ...this.#agents];
  }

  #gatewayProcesses(): readonly (readonly [string, Child])[] {
    return this.gateways.map(({ process }, index) => [`gateway ${index + 1}`, process] as const);
  }
}
