// One node as a process: agents and clients come over TCP, peers and the engine by wires of the test. It is asked and told by messages.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { server } from '@zishuo/yamux';
import { leastConn, SessionPool } from '@zishuo/yamux-balancer';
import { Fleet, type FleetStats, type NodeStatus } from '../../src/index.ts';
import { TcpNetwork } from '../../src/peer/tcp-network.ts';
import { redisDirectory } from '../../src/redis.ts';

export interface NodeSettings {
  readonly name: string;
  /** Where peers reach it. */
  readonly address: string;
  readonly engine: string;
  readonly secret: string;
}

/** Where it listens, all on 127.0.0.1. */
export interface Ports {
  readonly agents: number;
  readonly clients: number;
  readonly peers: number;
}

export type Command =
  | { readonly do: 'status' | 'drain' | 'close' }
  /** Opens for names that nobody has; resolves when all are refused. */
  | { readonly do: 'strangers'; readonly count: number };

export interface Status {
  readonly stats: FleetStats;
  readonly nodes: readonly NodeStatus[];
}

const { name, address, engine, secret } = JSON.parse(process.argv[2] as string) as NodeSettings;
const listen = { host: '127.0.0.1', port: 0 };
const tcp = new TcpNetwork(listen, undefined);
let peers = 0;
const pool = new SessionPool({ strategy: leastConn() });
const directory = redisDirectory({ url: engine });
const fleet = new Fleet({
  name,
  address,
  directory,
  pool,
  peers: {
    listen,
    secret,
    network: {
      listen: async (accepted) => {
        const listener = await tcp.listen(accepted);
        peers = listener.port;
        return listener;
      },
      dial: (node, signal) => tcp.dial(node, signal),
    },
  },
});

/** What comes before the first line break; the rest stays in the socket. */
async function line(socket: Socket): Promise<string> {
  let text = '';
  for (;;) {
    const byte = socket.read(1) as Buffer | null;
    if (byte === null) {
      if (socket.readableEnded || socket.destroyed) throw new Error('The connection ended within its first line');
      await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')]);
    } else if (byte[0] === 10) {
      return text;
    } else {
      text += byte.toString();
    }
  }
}

async function takeAgent(socket: Socket): Promise<void> {
  const [id = '', ...names] = (await line(socket)).split(' ');
  const session = server(socket);
  session.on('error', () => {});
  pool.add(session, { id, tags: names });
}

async function takeClient(socket: Socket): Promise<void> {
  const [wanted = '', key = ''] = (await line(socket)).split(' ');
  try {
    const routing = key === '' ? {} : { affinityKey: key };
    const { stream } = await fleet.openStream(wanted, routing, { acknowledged: true, timeout: 20_000 });
    socket.write('ok\n');
    pipeline(socket, stream, socket, () => {});
  } catch (error) {
    socket.end(`${String((error as { code?: unknown }).code)}\n`);
  }
}

async function bound(take: (socket: Socket) => Promise<void>): Promise<number> {
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {});
    take(socket).catch(() => socket.destroy());
  });
  listener.listen(listen);
  await once(listener, 'listening');
  return (listener.address() as AddressInfo).port;
}

async function strangers(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await fleet.openStream(`${n}.stranger.example`).catch(() => {});
}

async function close(): Promise<void> {
  await fleet.close();
  await directory.close();
  await pool.close();
}

process.on('message', (command: Command) => {
  const answer = (value: unknown): void => void process.send?.(value);
  switch (command.do) {
    case 'status':
      return answer({ stats: fleet.stats(), nodes: fleet.nodes() } satisfies Status);
    case 'drain':
      return void fleet.drain().then(() => answer('done'));
    case 'strangers':
      return void strangers(command.count).then(() => answer('done'));
    case 'close':
      return void close().then(() => process.exit());
  }
});
process.on('disconnect', () => process.exit());

await fleet.start();
process.send?.({ agents: await bound(takeAgent), clients: await bound(takeClient), peers } satisfies Ports);
