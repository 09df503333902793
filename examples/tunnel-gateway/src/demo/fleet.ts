// Everything the demo runs: origins, a gateway and its agents, and the order in which they start and stop.
import { randomBytes } from 'node:crypto';
import { signToken } from '../token.ts';
import { Child } from './child.ts';
import { type Origin, startOrigin } from './origin.ts';

export interface AgentSpec {
  readonly agent: string;
  /** The gateway balances by session: twice the sessions take twice the share. */
  readonly sessions: number;
}

export const HOST = 'demo.localhost';
const DAY = 86_400_000;

export class Fleet {
  readonly url: string;
  readonly gateway: Child;
  readonly #origins = new Map<string, Origin>();
  readonly #agents = new Map<string, Child>();
  readonly #secret: string;
  readonly #logs: boolean;

  static async start(agents: readonly AgentSpec[], logs: boolean): Promise<Fleet> {
    const secret = randomBytes(32).toString('base64url');
    const args = ['--port', '0'];
    const { child, url } = await Child.start({ program: 'gateway', args, env: { TUNNEL_SECRET: secret }, logs });
    const fleet = new Fleet(child, url, secret, logs);
    await Promise.all(agents.map((spec) => fleet.startAgent(spec)));
    return fleet;
  }

  private constructor(gateway: Child, url: string, secret: string, logs: boolean) {
    this.gateway = gateway;
    this.url = url;
    this.#secret = secret;
    this.#logs = logs;
  }

  /** Resolves when all its sessions are there. An agent that ran before gets a new process and keeps its origin. */
  async startAgent({ agent, sessions }: AgentSpec): Promise<void> {
    const origin = this.#origins.get(agent) ?? (await startOrigin(agent));
    this.#origins.set(agent, origin);
    // localhost and 127.0.0.1 are for the person who tries it out with curl.
    const routes = [HOST, 'localhost', '127.0.0.1'];
    const token = signToken({ agent, tenant: 'demo', routes, expires: Date.now() + DAY }, this.#secret);
    const gateway = `${this.url.replace('http', 'ws')}/connect`;
    const args = ['--gateway', gateway, '--target', origin.url, '--connections', String(sessions)];
    const { child } = await Child.start({ program: 'agent', args, env: { TUNNEL_TOKEN: token }, logs: this.#logs });
    this.#agents.set(agent, child);
  }

  async killAgent(agent: string): Promise<void> {
    await this.#agents.get(agent)?.kill();
  }

  /** The most memory that each process has had, in bytes. */
  async measure(): Promise<ReadonlyMap<string, number>> {
    const memory = new Map<string, number>();
    for (const [name, child] of [['gateway', this.gateway] as const, ...this.#agents]) {
      memory.set(name, await child.command({ type: 'measure' }));
    }
    return memory;
  }

  /** Agents first, so that nothing is cut; resolves with those that did not end with exit code 0. */
  async stop(): Promise<readonly string[]> {
    const unclean: string[] = [];
    const stop = async (name: string, child: Child): Promise<void> => {
      const code = await child.stop();
      if (code !== 0) unclean.push(`${name} ended with ${code}`);
    };
    await Promise.all([...this.#agents].map(([name, child]) => stop(name, child)));
    await stop('gateway', this.gateway);
    for (const origin of this.#origins.values()) origin.close();
    return unclean;
  }
}
