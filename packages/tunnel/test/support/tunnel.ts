// A gateway, agents and their origins in this process, over real sockets. Agents dial through a relay that can be cut, as a killed
// process or a pulled cable cuts them.
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { Targets } from '../../src/agent/targets.ts';
import { TunnelAgent } from '../../src/agent/tunnel-agent.ts';
import type { TunnelGatewayOptions } from '../../src/gateway/options.ts';
import { TunnelGateway } from '../../src/gateway/tunnel-gateway.ts';
import type { Log } from '../../src/log.ts';
import { signToken } from '../../src/token.ts';
import { type Answer, type Ask, ask, listen } from './http.ts';

export const SECRET = 'the secret of this test';
export const HOST = 'app.example';

export interface Gateway {
  readonly gateway: TunnelGateway;
  readonly port: number;
  /** Resolves with the next event of this name that the gateway logs, and that no earlier call waits for. */
  logged(event: string): Promise<Readonly<Record<string, unknown>>>;
}

export async function startGateway(options: Partial<TunnelGatewayOptions> = {}): Promise<Gateway> {
  const waiting: { event: string; resolve: (fields: Readonly<Record<string, unknown>>) => void }[] = [];
  const log: Log = (event, fields) => {
    const first = waiting.findIndex((candidate) => candidate.event === event);
    if (first !== -1) waiting.splice(first, 1)[0]?.resolve(fields);
  };
  const gateway = await TunnelGateway.listen({ secret: SECRET, log, ...options });
  onTestFinished(() => gateway.close(0));
  return {
    gateway,
    port: Number(new URL(gateway.url).port),
    logged: (event) => new Promise((resolve) => waiting.push({ event, resolve })),
  };
}

/** Resolves when the gateway, too, is done with the request. */
export async function askAndServe(gateway: Gateway, options: Omit<Ask, 'port'> = {}): Promise<Answer> {
  const [answer] = await Promise.all([ask({ port: gateway.port, ...options }), gateway.logged('served')]);
  return answer;
}

export function tokenFor(
  agent: string,
  routes: readonly string[] = [HOST],
  expires: number = Date.now() + 600_000,
): string {
  return signToken({ agent, tenant: 'test', routes, expires }, SECRET);
}

export interface Agent {
  readonly agent: TunnelAgent;
  readonly relay: Relay;
}

export interface AgentOptions {
  readonly name?: string;
  /** A server of the test, or the texts of targets. */
  readonly origin: RequestListener | string | readonly string[];
  readonly expectContinue?: RequestListener;
  readonly routes?: readonly string[];
  /** Sessions. Default 1. */
  readonly connections?: number;
}

/** Resolves when the agent has its sessions. */
export async function startAgent(to: Gateway, options: AgentOptions): Promise<Agent> {
  const { name = 'alpha', origin, routes, connections = 1 } = options;
  const targets =
    typeof origin === 'function' ? `http://127.0.0.1:${await listen(origin, options.expectContinue)}` : origin;
  const relay = await startRelay(to.port);
  const agent = new TunnelAgent({
    gateways: [`ws://127.0.0.1:${relay.port}/connect`],
    token: tokenFor(name, routes),
    targets: Targets.parse([targets].flat()),
    connections,
    log: () => {},
  });
  onTestFinished(() => agent.close(0));
  const joined = Array.from({ length: connections }, () => to.logged('agent connected'));
  await Promise.race([agent.connected, agent.ended]);
  await Promise.all(joined);
  return { agent, relay };
}

export interface Relay {
  readonly port: number;
  /** Nothing comes through any more, nobody is told, and no new connection is taken. */
  stall(): void;
  /** From now on all takes so many milliseconds more, each way. */
  delay(ms: number): void;
  /** Resets the oldest connection. */
  cutOldest(): void;
  /** Resets every connection. `forGood`: and takes no new one. */
  cut(forGood?: boolean): void;
}

async function startRelay(to: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const pipes: (readonly [Socket, Socket])[] = [];
  const server = createServer((near) => {
    const far = connect({ port: to, host: '127.0.0.1', noDelay: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
      pipes.push([socket, other]);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  onTestFinished(() => {
    server.close();
    cut();
  });
  return {
    port: (server.address() as AddressInfo).port,
    stall: () => {
      server.close();
      for (const socket of sockets) socket.unpipe();
    },
    delay: (ms) => {
      for (const [socket, other] of pipes) {
        socket
          .unpipe(other)
          .resume()
          .on('data', (chunk: Buffer) => {
            setTimeout(() => other.write(chunk), ms);
          });
      }
    },
    cutOldest: () => {
      for (const socket of [...sockets].slice(0, 2)) socket.resetAndDestroy();
    },
    cut: (forGood = false) => {
      if (forGood) server.close();
      cut();
    },
  };
}

/** A port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createHttpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A promise that a callback of the test resolves. */
export function signal<T = void>(): { readonly happened: Promise<T>; readonly tell: (value: T) => void } {
  let tell!: (value: T) => void;
  const happened = new Promise<T>((resolve) => {
    tell = resolve;
  });
  return { happened, tell };
}
