// The public port, faced with hostile clients: any bytes, floods, pipelines, upgrades in the middle, ends and resets at any time. The
// gateway lives, others are served, what is answered is HTTP, and nothing is left.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MessageReader } from '../differential/message-reader.ts';
import { heldBytes } from '../support/memory.ts';
import { holds, RUNS_TIMEOUT } from '../support/runs.ts';
import { Activity } from '../support/stillness.ts';
import { type AgentUnderTest, type GatewayUnderTest, startAgent, startGateway } from '../support/tunnel-under-test.ts';
import { uncaughtDuring } from '../support/uncaught.ts';
import { askHonestly, HONEST_HOST, type HonestOrigin, honestOrigin, SocketCount } from './honest.ts';
import { type Act, acts, describeActs, play } from './script.ts';

const MIB = 1024 * 1024;
/** Turns of at least 1 ms for which a hostile client stays when it has said everything. */
const STAYS = 20;

const head = (line: string, fields: string): string => `${line}\r\nHost: ${HONEST_HOST}\r\n${fields}\r\n`;
const REQUESTS = [
  head('GET /a HTTP/1.1', ''),
  head('GET /slow HTTP/1.1', ''),
  head('GET /large HTTP/1.1', ''),
  head('GET /b HTTP/1.0', 'Connection: keep-alive\r\n'),
  `${head('POST /c HTTP/1.1', 'Content-Length: 10\r\n')}0123456789`,
  `${head('POST /d HTTP/1.1', 'Transfer-Encoding: chunked\r\nTrailer: X\r\n')}3\r\nabc\r\n1;a=b\r\nx\r\n0\r\nX: y\r\n\r\n`,
  `${head('POST /e HTTP/1.1', 'Expect: 100-continue\r\nContent-Length: 3\r\n')}abc`,
  head('GET /f HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'),
  head('GET /g HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: foo\r\n'),
  head(
    'GET /connect HTTP/1.1',
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
  ),
  head('CONNECT app.example:80 HTTP/1.1', ''),
  head('OPTIONS * HTTP/1.1', ''),
  `GET http://${HONEST_HOST}/h HTTP/1.1\r\nHost: ${HONEST_HOST}\r\n\r\n`,
];
const WORDS = [
  ...[
    '\r\n',
    '\n',
    '\r\n\r\n',
    ' ',
    ':',
    '\0',
    'a:\r\n',
    'a: b\r\n',
    '1\r\nx\r\n',
    '0\r\n\r\n',
    'fffffffff\r\n',
    '-1',
    ' HTTP/1.1\r\n',
    ' HTTP/2.0',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: Upgrade\r\nUpgrade: h2c\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: 5, 6\r\n',
    'Transfer-Encoding: chunked\r\n',
  ],
  ...[
    'Transfer-Encoding: gzip\r\n',
    'Expect: 100-continue\r\n',
    'Expect: x\r\n',
    `Host: ${HONEST_HOST}\r\n`,
    'Host: \r\n',
    '/../',
    '%00',
    '\xff\xfe',
    '\tfolded\r\n',
  ],
];

interface HostileClient {
  readonly acts: readonly Act[];
  readonly reads: boolean;
}
const client: fc.Arbitrary<HostileClient> = fc.record({
  acts: acts(REQUESTS, [...WORDS, ...REQUESTS]),
  reads: fc.boolean(),
});

const activity = new Activity();
let origin: HonestOrigin;
let gateway: GatewayUnderTest;
let agent: AgentUnderTest;
let sockets: SocketCount;

beforeEach(async () => {
  origin = await honestOrigin();
});
afterEach(async () => {
  await stop();
  await origin.close();
});

async function start(): Promise<void> {
  gateway = await startGateway();
  agent = startAgent([gateway.agentsUrl], gateway.token({ agent: 'honest', tenant: 'honest', routes: [HONEST_HOST] }), [
    `http://127.0.0.1:${origin.port}`,
  ]);
  await gateway.joined(1);
  expect(await askHonestly(gateway.port)).toBeUndefined();
  await settled();
  await activity.until(() => gateway.leftovers().requests === 0);
  sockets = new SocketCount(origin);
}

async function stop(): Promise<void> {
  await uncaughtDuring(async () => {
    await agent.close();
    await gateway.close();
  });
}

const settled = (): Promise<boolean> =>
  activity.until(() => {
    const { requests, streams } = gateway.leftovers();
    return requests === 0 && streams === 0;
  });

class HostileConnection {
  readonly socket: Socket;
  readonly #acts: readonly Act[];
  #received = '';
  #isHttp = true;
  readonly #reader = new MessageReader('response', {
    onHead: ({ start }) => (/^HTTP\/1.1 (1|204|304)/.test(start) ? 'bodyless' : 'framed'),
    onWhole: () => {},
    onRaw: () => {},
  });

  constructor(port: number, { acts, reads }: HostileClient) {
    this.#acts = acts;
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket.on('error', () => {});
    if (reads) {
      this.socket.on('data', (chunk) => {
        activity.note();
        this.#reader.feed(chunk.toString('latin1'));
        if (this.#isHttp) this.#received = `${this.#received}${chunk.toString('latin1')}`.slice(-200);
        if (this.#reader.isGarbage) this.#isHttp = false;
      });
    }
  }

  async run(): Promise<void> {
    await play(this.socket, this.#acts, () => this.socket.resetAndDestroy());
    for (let turns = 0; turns < STAYS && !this.socket.destroyed; turns += 1) await sleep(1);
    this.socket.destroy();
  }

  /** Whatever it was asked, the gateway answers with HTTP. A HEAD that a mutation made is not among these requests. */
  get fault(): string | undefined {
    return this.#isHttp ? undefined : `no HTTP: …${JSON.stringify(this.#received)}`;
  }
}

/** What is looked at: what becomes of the others, or how many requests run. */
type Concern = 'others' | 'requests';

async function face(clients: readonly HostileClient[], concern: Concern): Promise<string[]> {
  const faults: string[] = [];
  const escaped = await uncaughtDuring(async () => {
    const connections = clients.map((one) => new HostileConnection(gateway.port, one));
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, gateway.leftovers().requests);
    }, 1);
    const honest = askHonestly(gateway.port);
    await Promise.all(connections.map((one) => one.run()));
    clearInterval(watch);
    const isServed = await activity.outlasts(honest);
    if (!isServed) faults.push('an honest client waits for its answer');
    else faults.push(...[await honest].filter((fault) => fault !== undefined));
    if (concern === 'requests') {
      if (most > clients.length + 1) faults.push(`${most} requests ran on ${clients.length + 1} connections`);
      await settled(); // or what runs still would count for the next ones
      return;
    }
    if (!(await settled())) faults.push(`left: ${JSON.stringify(gateway.leftovers())}`);
    if (!(await activity.until(() => sockets.surplus <= 0))) faults.push(`left: ${sockets.surplus} sockets`);
    faults.push(...connections.map(({ fault }) => fault).filter((fault) => fault !== undefined));
    const after = askHonestly(gateway.port);
    if (!(await activity.outlasts(after))) faults.push('an honest client waits for its answer, afterwards');
    else faults.push(...[await after].filter((fault) => fault !== undefined));
  });
  if (agent.hasEnded) faults.push('the agent has ended');
  return [...escaped.map((error) => `escaped: ${error}`), ...faults];
}

const clients = fc.array(client, { minLength: 1, maxLength: 5 });

async function judge(clients: readonly HostileClient[], concern: Concern): Promise<void> {
  const faults = await face(clients, concern);
  if (faults.length === 0) return;
  await stop();
  await start();
  const told = clients.map(({ acts, reads }) => `client, ${reads ? 'reads' : 'does not read'}: ${describeActs(acts)}`);
  throw new Error([...faults, ...told].join('\n'));
}

test(
  'hostile clients harm nobody but themselves',
  async () => {
    await start();
    const before = heldBytes();
    await holds(clients, (some) => judge(some, 'others'), 75, 1 / 2);
    expect((heldBytes() - before) / MIB, 'MiB held for clients that are gone').toBeLessThan(32);
  },
  RUNS_TIMEOUT,
);

test(
  'a connection runs one request at a time, whatever it pipelines',
  async () => {
    await start();
    await holds(clients, (some) => judge(some, 'requests'), 25, 1 / 2);
  },
  RUNS_TIMEOUT,
);
