// A subject: a way from a client to an origin over HTTP. It is started as its users start it, in its own processes.
import type { Contender } from '../implementation.ts';
import type { Child, Children } from './children.ts';

/** The Host header of the requests. Its first label is the name of an endpoint, for subjects that route by it. */
export const HOST = 'bench.example';

export interface Way {
  /** http: or https:, with no path. */
  readonly url: string;
  /** The process that accepts the client's connections: gateway, server, first proxy. */
  readonly near?: Child;
  /** The process that connects to the origin: agent, client, second proxy. */
  readonly far?: Child;
}

export interface IdleServer {
  readonly server: Child;
  /** Returns the number of connected agents. */
  count(): number | Promise<number>;
}

/** A server and its idle agents. */
export interface IdleSetting {
  /** Starts the server; called again after its process has ended. */
  startServer(): Promise<IdleServer>;
  /** Starts all agents in one process. */
  startAgents(): Promise<void>;
}

export interface Subject extends Contender {
  /** Starts it for an origin on this port of 127.0.0.1. */
  start(children: Children, originPort: number): Promise<Way>;
  /** Undefined for a subject without agents, or with a process for each agent. */
  idle?(children: Children, agents: number): Promise<IdleSetting>;
}
