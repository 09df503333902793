// What a small request costs a process that only asks: node origin-clients.js [SECONDS] tells it for node:http, for undici's dispatcher, and for bare
// sockets, which is the floor of the three: nothing is parsed, an answer is so many bytes. Each is a process of its own, asks on 50 kept connections,
// and has its turn three times.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { median } from './statistics.ts';
import { Children } from './tunnel/children.ts';
import { buildEnds, startOrigin } from './tunnel/ends.ts';

const CONNECTIONS = 50;
const ROUNDS = 3;
const PATH = '/bytes/100';
const WARM_UP_MS = 1_000;

/** Asks once for each of the connections, and again whenever `answered` is called. */
type Client = (port: number, answered: () => void) => void;

const clients: Readonly<Record<string, Client>> = {
  'node:http': (port, answered) => {
    const agent = new Agent({ keepAlive: true });
    const ask = (): void => {
      request({ port, agent, path: PATH, host: '127.0.0.1' }, (response) => {
        response
          .on('data', () => {})
          .on('end', () => {
            answered();
            ask();
          });
      }).end();
    };
    for (let count = 0; count < CONNECTIONS; count += 1) ask();
  },
  undici: (port, answered) => {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS, pipelining: 1 });
    const ask = (): void => {
      pool.dispatch(
        { path: PATH, method: 'GET' },
        {
          onConnect() {},
          onHeaders: () => true,
          onData: () => true,
          onComplete() {
            answered();
            ask();
          },
          onError(error) {
            throw error;
          },
        },
      );
    };
    for (let count = 0; count < CONNECTIONS; count += 1) ask();
  },
  'bare sockets': (port, answered) => {
    const asked = `GET ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    for (let count = 0; count < CONNECTIONS; count += 1) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const ask = (): void => void socket.write(asked, 'latin1');
      // An answer of a hundred bytes comes in one piece.
      socket.on('connect', ask).on('data', () => {
        answered();
        ask();
      });
    }
  },
};

/** In a process of its own: sends how many milliseconds of CPU each request took, again and again. */
function serve(client: Client, port: number, ms: number): void {
  let requests = 0;
  client(port, () => {
    requests += 1;
  });
  setTimeout(() => {
    const before = process.cpuUsage();
    requests = 0;
    setTimeout(() => {
      const { user, system } = process.cpuUsage(before);
      process.send?.((user + system) / 1_000 / requests, () => process.exit());
    }, ms);
  }, WARM_UP_MS);
}

const [seconds = '3', name, port] = process.argv.slice(2);
if (name !== undefined) serve(clients[name] as Client, Number(port), Number(seconds) * 1_000);
else {
  const children = new Children();
  const originPort = await startOrigin(children, await buildEnds());
  const taken = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const one of Object.keys(clients)) {
      const child = fork(fileURLToPath(import.meta.url), [seconds, one, String(originPort)]);
      const [ms] = (await once(child, 'message')) as [number];
      taken.set(one, [...(taken.get(one) ?? []), ms]);
    }
  }
  await children.end();
  for (const [one, all] of taken) console.log(`${one.padEnd(14)}${median(all).toFixed(4)} ms of CPU a request`);
}
