// A hostile gateway towards an agent that has an honest one as well: mutated blocks and any bytes on streams, odd targets, CONNECT, floods, ends and resets
// at any time. The agent lives, serves the honest gateway, reaches nothing that is not listed, and keeps nothing.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { YamuxSession, YamuxStream } from '@zishuo/yamux';
import { acceptUpgrades, type UpgradeAcceptor } from '@zishuo/yamux-websocket';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BlockKind, encodeBlock, NO_BODY, PIECES, requestBlock } from '../../src/exchange/block.ts';
import { heldBytes } from '../support/memory.ts';
import { holds, RUNS_TIMEOUT } from '../support/runs.ts';
import { Activity } from '../support/stillness.ts';
import { type AgentUnderTest, type GatewayUnderTest, startAgent, startGateway } from '../support/tunnel-under-test.ts';
import { uncaughtDuring } from '../support/uncaught.ts';
import { askHonestly, HONEST_HOST, type HonestOrigin, honestOrigin, SocketCount } from './honest.ts';
import { type Act, acts, describeActs, play } from './script.ts';

const MIB = 1024 * 1024;

/** A request as a gateway sends it: a block, and behind it the bytes of the body, or blocks of them. */
function asked(line: string, more: { body?: number; upgrade?: string; headers?: readonly string[] } = {}): string {
  const [method = '', target = ''] = line.split(' ');
  const { body = NO_BODY, upgrade = '', headers = [] } = more;
  const block = requestBlock({ method, target, body, upgrade, headers: ['Host', HONEST_HOST, ...headers] });
  return block.toString('latin1');
}

const block = (kind: BlockKind, ...fields: string[]): string => encodeBlock(kind, fields).toString('latin1');

const REQUESTS = [
  asked('GET /a'),
  asked('GET /large'),
  asked('GET /slow', { headers: ['X-Request-Id', 'one'] }),
  asked('POST /b', { body: PIECES }) + block(BlockKind.Piece, 'abc') + block(BlockKind.Trailers, 'X', 'y'),
  `${asked('POST /c', { body: 3 })}abc`,
  asked('PUT /e', { body: 3, headers: ['Expect', '100-continue'] }),
  asked('GET /d', { upgrade: 'foo' }),
  asked('GET /', { headers: ['Host', 'elsewhere.example'] }),
  asked('GET /').replace(HONEST_HOST, 'other.exam'.padEnd(HONEST_HOST.length, 'p')),
  asked('GET http://127.0.0.1:1/'),
  asked('CONNECT 127.0.0.1:22'),
  asked('CONNECT postgres'),
  asked('OPTIONS *'),
  asked('GET /../../x'),
  `GET /a HTTP/1.1\r\nHost: ${HONEST_HOST}\r\n\r\n`,
];
const WORDS = [
  ...[
    '\r\n',
    '\n',
    '\r\n\r\n',
    '\0',
    ':',
    '\0\0\0',
    '\xff\xff\xff',
    '-2',
    '-1',
    '3',
    '9007199254740993',
    '//',
    'unix:',
    '@',
    '%2e%2e/',
  ],
  ...['\nContent-Length\n1', '\nTransfer-Encoding\nchunked', '\nTransfer-Encoding\ngzip', '\nExpect\n100-continue'],
  ...[
    '\nConnection\nUpgrade',
    `\nHost\n${HONEST_HOST}`,
    '\nHost\nelsewhere.example',
    '\nX-Request-Id\n\xff',
    '\nX\nr\rn',
  ],
  ...Object.values(BlockKind).flatMap((kind) => [
    block(kind),
    block(kind, '200', 'OK', '0'),
    String.fromCharCode(kind),
  ]),
  ...[
    block(BlockKind.Piece, 'x'),
    block(BlockKind.Trailers, 'Transfer-Encoding', 'chunked'),
    block(BlockKind.Trailers, 'a b', '\r\n'),
  ],
];

interface Attack {
  readonly streams: readonly (readonly Act[])[];
  readonly session: 'nothing' | 'goes away' | 'is destroyed';
}
const attack: fc.Arbitrary<Attack> = fc.record({
  streams: fc.array(acts(REQUESTS, [...WORDS, ...REQUESTS]), { minLength: 1, maxLength: 5 }),
  session: fc.constantFrom('nothing', 'nothing', 'nothing', 'goes away', 'is destroyed'),
});

/** What an agent takes for a gateway. */
class HostileGateway {
  readonly #server: Server;
  readonly #acceptor: UpgradeAcceptor;
  #session: YamuxSession | undefined;

  constructor() {
    this.#server = createServer();
    this.#acceptor = acceptUpgrades(this.#server, {
      path: '/connect',
      requireSubprotocol: false,
      authenticate: () => true,
      onSession: (session) => {
        this.#session = session;
        session.on('error', () => {});
        activity.note();
      },
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/connect`;
  }

  get session(): YamuxSession | undefined {
    return this.#session?.state === 'open' ? this.#session : undefined;
  }

  async close(): Promise<void> {
    this.#acceptor.close();
    this.#session?.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

const activity = new Activity();
let origin: HonestOrigin;
let hostile: HostileGateway;
let gateway: GatewayUnderTest;
let agent: AgentUnderTest;
let sockets: SocketCount;

beforeEach(async () => {
  origin = await honestOrigin();
  await start();
});
afterEach(async () => {
  await stop();
  await origin.close();
});

async function start(): Promise<void> {
  gateway = await startGateway();
  hostile = new HostileGateway();
  const urls = [gateway.agentsUrl, await hostile.listen()];
  const token = gateway.token({ agent: 'honest', tenant: 'honest', routes: [HONEST_HOST] });
  agent = startAgent(urls, token, [`${HONEST_HOST}=http://127.0.0.1:${origin.port}`]);
  await gateway.joined(1);
  await askHonestly(gateway.port);
  await activity.until(
    () => hostile.session !== undefined && gateway.leftovers().streams === 0 && gateway.leftovers().requests === 0,
  );
  sockets = new SocketCount(origin);
}

async function stop(): Promise<void> {
  await uncaughtDuring(async () => {
    await agent.close();
    await gateway.close();
    await hostile.close();
  });
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

async function face({ streams, session: does }: Attack): Promise<string[]> {
  const faults: string[] = [];
  const escaped = await uncaughtDuring(async () => {
    await activity.until(() => hostile.session !== undefined);
    const session = hostile.session as YamuxSession;
    const open: YamuxStream[] = [];
    const honest = askHonestly(gateway.port);
    const run = async (script: readonly Act[]): Promise<void> => {
      const stream = await session.open();
      stream.on('error', () => {}).on('data', () => activity.note());
      open.push(stream);
      await play(stream, script, () => stream.reset());
    };
    await Promise.allSettled(streams.map(run));
    if (does === 'goes away') void session.goAway().catch(() => {});
    if (does === 'is destroyed') session.destroy();
    if (!(await activity.outlasts(honest))) faults.push('an honest client waits for its answer');
    else faults.push(...[await honest].filter((fault) => fault !== undefined));
    for (const stream of open) if (!stream.destroyed) stream.reset();
    if (!(await activity.until(() => session.streamCount === 0))) faults.push(`left: ${session.streamCount} streams`);
    faults.push(...[await askHonestly(gateway.port)].filter((fault) => fault !== undefined));
    // An agent that was told to go elsewhere may hold a second session.
    if (!(await activity.until(() => sockets.surplus <= (does === 'goes away' ? 2 : 0))))
      faults.push(`left: ${sockets.surplus} sockets`);
    const others = [...origin.hosts].filter(
      (host) => host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase() !== HONEST_HOST,
    );
    if (others.length > 0) faults.push(`reached, and not listed: ${JSON.stringify(others)}`);
    origin.hosts.clear();
  });
  if (agent.hasEnded) faults.push('the agent has ended');
  return [...escaped.map((error) => `escaped: ${error}`), ...faults];
}

test(
  'a hostile gateway does not harm an agent, nor its other gateways',
  async () => {
    const before = heldBytes();
    await holds(
      attack,
      async (one) => {
        const faults = await face(one);
        // An agent that dials again takes its time.
        if (faults.length > 0 || one.session !== 'nothing') await restart();
        if (faults.length === 0) return;
        throw new Error(
          [
            ...faults,
            ...one.streams.map((script) => `on a stream: ${describeActs(script)}`),
            `the session: ${one.session}`,
          ].join('\n'),
        );
      },
      40,
    );
    expect((heldBytes() - before) / MIB, 'MiB held for exchanges that are over').toBeLessThan(32);
  },
  RUNS_TIMEOUT,
);
