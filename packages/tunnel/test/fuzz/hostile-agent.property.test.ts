// A hostile tenant's agent: any bytes on its streams, interim answers without end, crumbs, wrong framings, ends, resets and go-aways at
// any time. The gateway lives, the clients of the others are served, its own get an answer or a cut, and nothing is left.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { YamuxSession, YamuxStream } from '@zishuo/yamux';
import { dial } from '@zishuo/yamux-websocket';
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
const EVIL_HOST = 'evil.example';

const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
  'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nold',
];
const WORDS = [
  ...[
    '\r\n',
    '\n',
    '\r\n\r\n',
    '\0',
    ':',
    'a: b\r\n',
    '1\r\nx\r\n',
    '0\r\n\r\n',
    'ffffffff\r\n',
    '042',
    '999',
    '101',
    'HTTP/1.1 ',
  ],
  ...[
    'Content-Length: 1\r\n',
    'Content-Length: 99999999999999999999\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
  ],
  ...[
    'Connection: Upgrade\r\nUpgrade: foo\r\n',
    'Connection: close, Date, X-Served-By\r\n',
    'Trailer: X-Sum\r\n',
    'X-\xe9: a\r\n',
    'a: \xff\x80\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
  ],
];

const get = (version: string, fields: string): string =>
  `GET /x HTTP/${version}\r\nHost: ${EVIL_HOST}\r\n${fields}\r\n`;
const REQUESTS = [
  get('1.1', ''),
  get('1.0', ''),
  get('1.1', 'Connection: Upgrade\r\nUpgrade: foo\r\n'),
  get('1.1', '').replace('GET', 'HEAD'),
  get('1.1', 'Content-Length: 3\r\n').replace('GET', 'POST').concat('abc'),
  get('1.1', 'Expect: 100-continue\r\nContent-Length: 3\r\n').replace('GET', 'PUT').concat('abc'),
  get('1.1', '').repeat(3),
];

interface Scene {
  /** Whether the script begins before anything was asked, or behind the head. */
  readonly waitsForHead: boolean;
  /** For the streams in turn. */
  readonly scripts: readonly (readonly Act[])[];
  readonly requests: readonly string[];
  /** What becomes of the session, after so many streams. */
  readonly session: { readonly after: number; readonly does: 'nothing' | 'goes away' | 'is destroyed' };
  /** Whether its clients read. */
  readonly reads: boolean;
  /** Who goes first when enough was said: nobody waits for a limit of time. */
  readonly leaves: 'clients' | 'agent';
}

/** Turns of at least 1 ms for which all of them stay. */
const STAY = 40;

const scene: fc.Arbitrary<Scene> = fc.record({
  waitsForHead: fc.boolean(),
  scripts: fc.array(acts(ANSWERS, [...WORDS, ...ANSWERS]), { minLength: 1, maxLength: 3 }),
  requests: fc.array(fc.constantFrom(...REQUESTS), { minLength: 1, maxLength: 4 }),
  session: fc.record({ after: fc.nat(4), does: fc.constantFrom('nothing', 'nothing', 'goes away', 'is destroyed') }),
  reads: fc.boolean(),
  leaves: fc.constantFrom('clients', 'agent'),
});

const activity = new Activity();
let origin: HonestOrigin;
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
  const token = gateway.token({ agent: 'honest', tenant: 'honest', routes: [HONEST_HOST] });
  agent = startAgent([gateway.agentsUrl], token, [`http://127.0.0.1:${origin.port}`]);
  await gateway.joined(1);
  await askHonestly(gateway.port);
  await activity.until(() => gateway.leftovers().streams === 0 && gateway.leftovers().requests === 0);
  sockets = new SocketCount(origin);
}

async function stop(): Promise<void> {
  await uncaughtDuring(async () => {
    await agent.close();
    await gateway.close();
  });
}

/** The hostile session, with what it does to each stream. */
async function evil(onStream: (stream: YamuxStream) => void): Promise<YamuxSession> {
  const token = gateway.token({ agent: 'evil', tenant: 'evil', routes: [EVIL_HOST] });
  const session = await dial(gateway.agentsUrl, { headers: { Authorization: `Bearer ${token}` } });
  session.on('error', () => {});
  session.on('stream', (stream) => {
    stream.on('error', () => {});
    onStream(stream);
  });
  await activity.until(() => gateway.sessions === 2);
  return session;
}

function whenAsked(stream: YamuxStream, act: () => void): void {
  let head = '';
  const onData = (chunk: Buffer): void => {
    head += chunk.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    stream.off('data', onData).resume();
    act();
  };
  stream.on('data', onData);
}

class EvilsClient {
  readonly socket: Socket;
  #isGarbage = false;
  #received = '';

  constructor(request: string, reads: boolean) {
    // Of a switched connection, or a HEAD, nothing can be said.
    const reader = new MessageReader('response', {
      onHead: ({ start }) => {
        if (start.startsWith('HTTP/1.1 101')) return 'raw';
        return request.startsWith('HEAD') || /^HTTP\/1.1 (1|204|304)/.test(start) ? 'bodyless' : 'framed';
      },
      onWhole: () => {},
      onRaw: () => {},
    });
    this.socket = connect({ port: gateway.port, host: '127.0.0.1' }, () => this.socket.write(request, 'latin1'));
    this.socket.on('error', () => {});
    if (!reads) return;
    this.socket.on('data', (chunk) => {
      activity.note();
      if (!this.#isGarbage) this.#received = `${this.#received}${chunk.toString('latin1')}`.slice(-300);
      reader.feed(chunk.toString('latin1'));
      this.#isGarbage ||= reader.isGarbage;
    });
  }

  get fault(): string | undefined {
    return this.#isGarbage ? `a client got what is no HTTP: …${JSON.stringify(this.#received)}` : undefined;
  }
}

async function face({
  waitsForHead,
  scripts,
  requests,
  session: { after, does },
  reads,
  leaves,
}: Scene): Promise<string[]> {
  const faults: string[] = [];
  const escaped = await uncaughtDuring(async () => {
    let streams = 0;
    const session = await evil((stream) => {
      const script = scripts[streams % scripts.length] ?? [];
      streams += 1;
      const run = (): void => void play(stream, script, () => stream.reset());
      if (waitsForHead) whenAsked(stream, run);
      else run();
      if (streams !== after) return;
      if (does === 'goes away') void session.goAway().catch(() => {});
      if (does === 'is destroyed') session.destroy();
    });
    const clients = requests.map((request) => new EvilsClient(request, reads));
    const honest = askHonestly(gateway.port);
    // Streams that it does not end are its own loss: they count against its session.
    const isOver = (): boolean =>
      gateway.leftovers().requests === 0 && clients.every(({ socket }) => !socket.connecting);
    await activity.until(() => streams > 0);
    for (let turns = 0; turns < STAY; turns += 1) await sleep(1);
    if (leaves === 'agent') session.destroy();
    // By a reset: whoever ends its side may still wait for its answer, and the agent is told so, which decides.
    else for (const { socket } of clients) socket.resetAndDestroy();
    if (!(await activity.until(isOver)))
      faults.push(`left when the ${leaves} had gone: ${JSON.stringify(gateway.leftovers())}`);
    for (const { socket } of clients) socket.destroy();
    if (!(await activity.outlasts(honest))) faults.push('an honest client waits for its answer');
    else faults.push(...[await honest].filter((fault) => fault !== undefined));
    session.destroy();
    const isGone = await activity.until(() => gateway.sessions === 1 && gateway.leftovers().requests === 0);
    if (!isGone) faults.push(`left: ${JSON.stringify(gateway.leftovers())}, ${gateway.sessions} sessions`);
    if (!(await activity.until(() => sockets.surplus <= 0))) faults.push(`left: ${sockets.surplus} sockets`);
    faults.push(...clients.map(({ fault }) => fault).filter((fault) => fault !== undefined));
    faults.push(...[await askHonestly(gateway.port)].filter((fault) => fault !== undefined));
  });
  return [...escaped.map((error) => `escaped: ${error}`), ...faults];
}

test(
  'a hostile agent harms nobody but its own clients',
  async () => {
    const before = heldBytes();
    await holds(
      scene,
      async (one) => {
        const faults = await face(one);
        if (faults.length === 0) return;
        await stop();
        await start();
        const scripts = one.scripts.map(
          (script) => `on a stream${one.waitsForHead ? ', behind the head' : ''}: ${describeActs(script)}`,
        );
        throw new Error(
          [
            ...faults,
            ...one.requests.map((request) => `asked${one.reads ? '' : ', and not read'}: ${JSON.stringify(request)}`),
            ...scripts,
          ].join('\n'),
        );
      },
      50,
      0.8,
    );
    expect((heldBytes() - before) / MIB, 'MiB held for exchanges that are over').toBeLessThan(32);
  },
  RUNS_TIMEOUT,
);

test.each<[string, string, string, boolean]>([
  ['a whole answer and a switch in one packet', REQUESTS[2] ?? '', `${ANSWERS[0]}${ANSWERS[3]}`, false],
  ['interim answers to pipelined requests, and no final one', get('1.1', '').repeat(3), ANSWERS[5] ?? '', true],
])('%s harm nobody', async (_what, request, says, ends) => {
  const plain = { waitsForHead: true, session: { after: 0, does: 'nothing' }, reads: true, leaves: 'agent' } as const;
  const script: Act[] = [{ says, times: 1 }, ...(ends ? [{ ends: 'FIN' } as const] : [])];
  expect(await face({ ...plain, requests: [request], scripts: [script] })).toEqual([]);
});

/** Streams of a flood, and the most that each may make the gateway hold: a window, and some buffers. */
const [FLOODED, EACH] = [6, 5 * MIB];

/** With the bytes of each flood: of chunks a sixth are enough, each of which would cost an object. */
test.each([
  ['interim answers', 64 * MIB, 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n', ''],
  ['chunks of one byte', 10 * MIB, '1\r\nx\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['bytes of a body', 64 * MIB, 'x'.repeat(1_000), 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'],
])(
  '%s that no client reads cost a window a stream',
  async (_what, bytes, crumb, head) => {
    await stop();
    await start();
    const before = heldBytes();
    const piece = Buffer.from(crumb.repeat(2_000));
    let written = 0;
    const session = await evil((stream) =>
      whenAsked(stream, () => {
        stream.write(head);
        const more = (): void => {
          while (!stream.destroyed && stream.writable && written < bytes) {
            activity.note();
            written += piece.length;
            if (!stream.write(piece)) return void stream.once('drain', more);
          }
        };
        more();
      }),
    );
    const clients = Array.from({ length: FLOODED }, () => new EvilsClient(REQUESTS[0] ?? '', false));
    let most = 0;
    let looks = 0;
    await activity.until(() => {
      looks += 1;
      if (looks % 20 === 0) most = Math.max(most, heldBytes() - before);
      return written >= bytes || most > FLOODED * EACH;
    });
    for (const { socket } of clients) socket.destroy();
    session.destroy();
    expect(most / MIB / FLOODED, 'MiB held for each stream').toBeLessThan(EACH / MIB);
  },
  RUNS_TIMEOUT,
);

/** Of one exchange: far more than any server sends. */
const INTERIM_ANSWERS = 20_000;

test(
  'interim answers without end are ended',
  async () => {
    let said = 0;
    const session = await evil((stream) =>
      whenAsked(stream, () => {
        const more = (): void => {
          while (!stream.destroyed && stream.writable && said < INTERIM_ANSWERS) {
            said += 1;
            if (!stream.write('HTTP/1.1 102 Processing\r\n\r\n')) return void stream.once('drain', more);
          }
        };
        more();
      }),
    );
    const client = new EvilsClient(REQUESTS[0] ?? '', true);
    await activity.until(() => said >= INTERIM_ANSWERS || client.socket.destroyed);
    client.socket.destroy();
    session.destroy();
    expect(said).toBeLessThan(INTERIM_ANSWERS);
  },
  RUNS_TIMEOUT,
);
