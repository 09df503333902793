// What is measured: ways from a client to an origin over HTTP. Each is started as its users start it, in processes of its own.
import type { Contender } from '../implementation.ts';
import type { Child, Children } from './children.ts';

/** What the requests ask for. Its first label is the name of an endpoint, for who goes by that. */
export const HOST = 'bench.example';

export interface Way {
  /** http: or https:, with no path. */
  readonly url: string;
  /** The process that takes the client's connections: gateway, server, first proxy. */
  readonly near?: Child;
  /** The one that speaks with the origin: agent, client, second proxy. */
  readonly far?: Child;
}

export interface IdleServer {
  readonly server: Child;
  /** How many agents are connected. */
  count(): number | Promise<number>;
}

/** A server and its agents, to which nobody sends requests. */
export interface IdleSetting {
  /** Again after its process has ended, too. */
  startServer(): Promise<IdleServer>;
  /** All in one process. */
  startAgents(): Promise<void>;
}

export interface Subject extends Contender {
  /** For an origin on this port of 127.0.0.1. */
  start(children: Children, originPort: number): Promise<Way>;
  /** Undefined for what has no agents, or needs a process for each. */
  idle?(children: Children, agents: number): Promise<IdleSetting>;
}
