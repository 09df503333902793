// Nodes with agents, on a clock that the test moves: over TCP, TLS or a network in memory, on one engine in memory.
import type { Duplex } from 'node:stream';
import { client, type SessionOptions, server, type YamuxSession } from '@zishuo/yamux';
import { leastConn, SessionPool } from '@zishuo/yamux-balancer';
import { ManualClock, seededRandom } from '@zishuo/yamux-balancer/testing';
import { duplexPair } from '../../../yamux/test/support/duplex-pair.ts';
import { Fleet, type FleetOptions, type PeerOptions } from '../../src/index.ts';
import { type TestDirectory, TestEngine } from '../../src/testing.ts';

export const SECRET = 'a secret that all nodes of the test share';

/** An agent's session, whose streams say who it is and then echo. */
export interface TestAgent {
  readonly id: string;
  readonly names: readonly string[];
  /** At the node. */
  readonly near: YamuxSession;
  /** At the agent. */
  readonly far: YamuxSession;
  /** Streams that it has got. */
  readonly seen: Duplex[];
}

export interface TestNode {
  readonly name: string;
  readonly fleet: Fleet;
  readonly pool: SessionPool;
  readonly directory: TestDirectory;
  agent(id: string, names: readonly string[], options?: AgentOptions): TestAgent;
}

interface AgentOptions extends SessionOptions {
  /** Instead of an echo. */
  readonly serve?: (stream: Duplex) => void;
  readonly maxActiveStreams?: number;
}

export class World {
  readonly clock: ManualClock = new ManualClock();
  readonly engine: TestEngine = new TestEngine(this.clock);
  readonly nodes: TestNode[] = [];
  readonly #agents: TestAgent[] = [];

  async node(name: string, peers: Partial<PeerOptions> = {}, options: Partial<FleetOptions> = {}): Promise<TestNode> {
    const pool = new SessionPool({ strategy: leastConn(), clock: this.clock });
    const directory = this.engine.connect();
    const fleet = new Fleet({
      name,
      pool,
      directory,
      clock: this.clock,
      random: seededRandom(this.nodes.length + 1),
      peers: { listen: { host: '127.0.0.1', port: 0 }, ...(peers.tls ? {} : { secret: SECRET }), ...peers },
      factsOf: ({ label = '' }) => ({ label }),
      ...options,
    });
    const agent = (id: string, names: readonly string[], more: AgentOptions = {}): TestAgent =>
      this.#agent(pool, id, names, more);
    const node: TestNode = { name, fleet, pool, directory, agent };
    this.nodes.push(node);
    await fleet.start();
    return node;
  }

  #agent(pool: SessionPool, id: string, names: readonly string[], options: AgentOptions): TestAgent {
    const { serve = answering(id), maxActiveStreams, ...session } = options;
    const [one, other] = duplexPair();
    const limits = { clock: this.clock, keepAliveInterval: 0 };
    const near = server(one, limits);
    const far = client(other, { ...limits, ...session });
    const seen: Duplex[] = [];
    far.on('error', () => {});
    far.on('stream', (stream) => {
      seen.push(stream);
      stream.on('error', () => {});
      serve(stream);
    });
    pool.add(near, { id, label: id, tags: names, ...(maxActiveStreams && { maxActiveStreams }) });
    const agent = { id, names, near, far, seen };
    this.#agents.push(agent);
    return agent;
  }

  /** Lets time pass, and everything that it brings, until something holds. Where it never does, the test runs into its limit. */
  async until(holds: () => boolean, step = 5): Promise<void> {
    while (!holds()) {
      await turn();
      this.clock.advance(step);
    }
  }

  /** Lets time pass until the promise is settled. */
  async settled<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await this.until(() => isSettled);
    return promise;
  }

  /** Until every node reaches every other one, and the directory has been told all. */
  async converged(nodes: readonly TestNode[] = this.nodes): Promise<void> {
    await this.until(() =>
      nodes.every(({ fleet }) => {
        const { nodes: known, nodesReachable, namesUntold } = fleet.stats();
        return known === nodes.length && nodesReachable === known && namesUntold === 0;
      }),
    );
  }

  async close(): Promise<void> {
    for (const { far, near } of this.#agents) {
      far.destroy();
      near.destroy();
    }
    const closing = Promise.all(this.nodes.map(({ fleet }) => fleet.close({ timeout: 0 })));
    let isClosed = false;
    void closing.then(() => {
      isClosed = true;
    });
    await this.until(() => isClosed, 100);
  }
}

/** Says who it is, and then sends everything back. */
function answering(id: string): (stream: Duplex) => void {
  return (stream) => {
    stream.write(`${id}\n`);
    stream.pipe(stream);
  };
}

/** One turn of the event loop, with what sockets have. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Sends a text and ends; resolves with all that came back. */
export async function exchange(stream: Duplex, text: string): Promise<string> {
  stream.end(text);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
