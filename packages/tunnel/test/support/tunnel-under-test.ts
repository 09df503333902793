// The tunnel as the properties see it: a public port, an agents' port, and what is still held. The only file of the properties that knows
// how gateway and agent are made.
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { Targets } from '../../src/agent/targets.ts';
import { TunnelAgent } from '../../src/agent/tunnel-agent.ts';
import type { TunnelGatewayOptions } from '../../src/gateway/options.ts';
import { TunnelGateway } from '../../src/gateway/tunnel-gateway.ts';
import { signToken } from '../../src/token.ts';

const SECRET = 'the secret of this property';

export interface Claims {
  readonly agent: string;
  readonly tenant: string;
  readonly routes: readonly string[];
}

/** What a gateway holds of requests. Zero when nobody asks for anything. */
export interface Leftovers {
  readonly requests: number;
  readonly streams: number;
}

export interface GatewayUnderTest {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Where agents dial in. */
  readonly agentsUrl: string;
  /** Sessions that agents hold now. */
  readonly sessions: number;
  token(claims: Claims): string;
  /** Resolves when there are so many sessions. */
  joined(sessions: number): Promise<void>;
  leftovers(): Leftovers;
  close(): Promise<void>;
}

export async function startGateway(options: Partial<TunnelGatewayOptions> = {}): Promise<GatewayUnderTest> {
  const gateway = await TunnelGateway.listen({ secret: SECRET, log: () => {}, ...options });
  const sessions = (): number => gateway.routes.sessions.size;
  return {
    port: Number(new URL(gateway.url).port),
    agentsUrl: `${gateway.url.replace('http', 'ws')}${gateway.agentPath}`,
    get sessions() {
      return sessions();
    },
    token: (claims) => signToken({ ...claims, expires: Date.now() + 3_600_000 }, SECRET),
    joined: async (count) => {
      while (sessions() < count) await once(gateway, 'joined');
    },
    leftovers: () => {
      let streams = 0;
      for (const { session } of gateway.routes.sessions) streams += session.streamCount;
      return { requests: gateway.running.requests, streams };
    },
    close: () => gateway.close(0),
  };
}

export interface AgentUnderTest {
  /** Whether it has ended by itself. */
  readonly hasEnded: boolean;
  close(): Promise<void>;
}

/** Resolves at once: see joined() of the gateway. `targets` are texts as --target takes them. */
export function startAgent(gateways: readonly string[], token: string, targets: readonly string[]): AgentUnderTest {
  const agent = new TunnelAgent({ gateways, token, targets: Targets.parse(targets), log: () => {} });
  let hasEnded = false;
  const ended = (): void => {
    hasEnded = true;
  };
  agent.ended.then(ended, ended);
  return {
    get hasEnded() {
      return hasEnded;
    },
    close: () => agent.close(0),
  };
}

export interface TunnelUnderTest extends Pick<GatewayUnderTest, 'port' | 'leftovers' | 'close'> {
  readonly agentHasEnded: boolean;
}

/** A gateway with one agent, which serves `host` by the local server at `target` (a port). */
export async function startTunnel({ host, target }: { host: string; target: number }): Promise<TunnelUnderTest> {
  const gateway = await startGateway();
  const token = gateway.token({ agent: 'honest', tenant: 'test', routes: [host] });
  const agent = startAgent([gateway.agentsUrl], token, [`http://127.0.0.1:${target}`]);
  await gateway.joined(1);
  return {
    port: gateway.port,
    leftovers: () => gateway.leftovers(),
    get agentHasEnded() {
      return agent.hasEnded;
    },
    close: async () => {
      await agent.close();
      await gateway.close();
    },
  };
}

/** Sockets that this process has open, by its descriptors; undefined where the system does not list them. */
export function openSockets(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  let count = 0;
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:')) count += 1;
    } catch {} // the descriptor by which the folder was read
  }
  return count;
}
