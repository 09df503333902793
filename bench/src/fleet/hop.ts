// One agent, reached directly and by way of another node: three processes and the measured one, over TCP on 127.0.0.1, in turn within each round.
import type { Duplex } from 'node:stream';
import { server } from '@zishuo/yamux';
import { SessionPool } from '@zishuo/yamux-balancer';
import { type Beat, Fleet, type NodeRecord, type Placement, type SessionDirectory } from '@zishuo/yamux-fleet';
import { bulk } from '../cases/bulk.ts';
import { MESSAGE_BYTES, message } from '../cases/echo.ts';
import type { Connection } from '../implementation.ts';
import { dialLoopback } from '../implementations/loopback.ts';
import { percentile } from '../statistics.ts';
import type { Children } from '../tunnel/children.ts';
import { Dialogue } from '../tunnel/dialogue.ts';
import type { FleetCase, FleetMessage } from './case.ts';

/** The names of the agent: at the measured node, and at the other one. */
const HERE = 'here.example';
export const THERE = 'there.example';
/** What both nodes know. */
export const SECRET = 'no secret at all: only for the bench';
/** Turns of both ways in each round, so that what else the machine does concerns both. */
const TURNS = 10;
const KIB = 1024;

/** What an engine would say of two nodes, one of which has THERE. */
export class FixedDirectory implements SessionDirectory {
  readonly #other: NodeRecord | undefined;

  constructor(other?: NodeRecord) {
    this.#other = other;
  }

  async beat(self: NodeRecord): Promise<Beat> {
    return { nodes: this.#other === undefined ? [self] : [self, this.#other], seq: Number.MAX_SAFE_INTEGER };
  }

  async lookup(name: string): Promise<readonly Placement[]> {
    if (this.#other === undefined || name !== THERE) return [];
    return [{ node: this.#other.id, sessions: 1, agents: [{ id: 'agent', weight: 1 }] }];
  }

  async publish(): Promise<void> {}

  watch(): () => void {
    return () => {};
  }

  async leave(): Promise<void> {}

  async close(): Promise<void> {}
}

/** A session of the agent that listens on that port. */
export async function joinAgent(pool: SessionPool, port: number, name: string): Promise<void> {
  pool.add(server(await dialLoopback(port)), { id: 'agent', tags: [name] });
}

/** Starts the agent and the other node. */
async function prepare(children: Children): Promise<readonly string[]> {
  const agent = children.startOwn('fleet-agent', [], { isSpokenWith: true });
  const { port } = await new Dialogue<FleetMessage>(children, agent).hear('port');
  const owner = children.startOwn('fleet-owner', [String(port)], { isSpokenWith: true });
  const { node } = await new Dialogue<FleetMessage>(children, owner).hear('node');
  return [String(port), node];
}

/** Resolves when both names can be reached. */
async function join([port, other]: readonly string[]): Promise<Fleet> {
  const pool = new SessionPool();
  const fleet = new Fleet({
    name: 'bench',
    pool,
    directory: new FixedDirectory(JSON.parse(other as string) as NodeRecord),
    peers: { listen: { port: 0 }, secret: SECRET },
  });
  await joinAgent(pool, Number(port), HERE);
  await fleet.start();
  await Promise.all([HERE, THERE].map(async (name) => exchange(await open(fleet, name))));
  return fleet;
}

async function open(fleet: Fleet, name: string): Promise<Duplex> {
  const { stream } = await fleet.openStream(name);
  return stream;
}

/** Resolves when the echo has come and both sides have ended. */
function exchange(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0;
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received === MESSAGE_BYTES) stream.end();
    });
    stream.on('error', reject);
    stream.on('close', () => {
      if (received === MESSAGE_BYTES) resolve();
      else reject(new Error(`closed with ${received} of ${MESSAGE_BYTES} bytes`));
    });
    stream.write(message);
  });
}

/** Microseconds of each, one after the other. */
async function exchanges(fleet: Fleet, name: string, ms: number): Promise<readonly number[]> {
  const durations: number[] = [];
  for (const start = performance.now(); performance.now() < start + ms; ) {
    const before = performance.now();
    await exchange(await open(fleet, name));
    durations.push((performance.now() - before) * 1_000);
  }
  return durations;
}

const opening = `open, ${MESSAGE_BYTES} B, close`;

export const hop: FleetCase = {
  name: 'fleet-hop',
  figures: [
    { name: 'fleet-direct-p50', title: `fleet, ${opening}, at an own agent, p50`, unit: 'µs', better: 'lower' },
    {
      name: 'fleet-hop-p50',
      title: `fleet, ${opening}, at an agent of another node, p50`,
      unit: 'µs',
      better: 'lower',
    },
    {
      name: 'fleet-hop-p99',
      title: `fleet, ${opening}, at an agent of another node, p99`,
      unit: 'µs',
      better: 'lower',
    },
    { name: 'fleet-hop-more', title: `fleet, ${opening}, what the hop adds, p50`, unit: 'µs', better: 'lower' },
  ],
  prepare,
  async begin(args) {
    const fleet = await join(args);
    return async (ms) => {
      const direct: number[] = [];
      const far: number[] = [];
      for (let turn = 0; turn < TURNS; turn += 1) {
        direct.push(...(await exchanges(fleet, HERE, ms / TURNS / 2)));
        far.push(...(await exchanges(fleet, THERE, ms / TURNS / 2)));
      }
      const [near50, far50] = [percentile(direct, 50), percentile(far, 50)];
      return [near50, far50, percentile(far, 99), far50 - near50];
    };
  },
};

export const hopBulk: FleetCase = {
  name: 'fleet-bulk',
  figures: [
    { name: 'fleet-bulk-direct', title: 'fleet, bulk to an own agent', unit: 'MiB/s', better: 'higher' },
    { name: 'fleet-bulk-hop', title: 'fleet, bulk to an agent of another node', unit: 'MiB/s', better: 'higher' },
    {
      name: 'fleet-bulk-share',
      title: 'fleet, bulk to an agent of another node against an own one',
      unit: '×',
      better: 'higher',
    },
  ],
  prepare,
  async begin(args) {
    const fleet = await join(args);
    const { drive } = bulk({ name: 'bulk-1', title: '', streams: 1, bytesPerWrite: 64 * KIB });
    const to = (name: string): Connection => ({ open: () => open(fleet, name), close: async () => {} });
    return async (ms) => {
      const [direct = Number.NaN] = await drive(to(HERE), ms / 2);
      const [far = Number.NaN] = await drive(to(THERE), ms / 2);
      return [direct, far, far / direct];
    };
  },
};
