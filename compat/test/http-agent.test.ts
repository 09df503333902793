// The agent of node:http: it counts, queues, times and aborts the connections of createConnection.

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Carrier } from './support/carrier.ts';
import { certificate, NAME } from './support/certificate.ts';
import { ask } from './support/http-client.ts';
import { turns, twins, until } from './support/twins.ts';

const { cert, key } = await certificate();

function target(carrier: Carrier, options?: http.AgentOptions): http.RequestOptions & { agent: http.Agent } {
  const found = carrier.http(options);
  onTestFinished(() => found.agent.destroy());
  return found;
}

const LIMITS: readonly http.AgentOptions[] = [
  { maxSockets: 2 },
  { maxTotalSockets: 2 },
  { maxSockets: 2, keepAlive: true },
];
for (const limit of LIMITS) {
  twins(
    `${JSON.stringify(limit)}: 20 requests, never more than 2 at a time`,
    async (carrier) => {
      let now = 0;
      let most = 0;
      const web = http.createServer((_request, response) => {
        now += 1;
        most = Math.max(most, now);
        void turns(5).then(() => {
          now -= 1;
          response.end('x');
        });
      });
      await carrier.serve(web);
      const options = target(carrier, limit);
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(options)));
      return { most, answered: answers.length };
    },
    { most: 2, answered: 20 },
  );
}

twins(
  'keepAlive: requests in a row share one connection, and see that it was used before',
  async (carrier) => {
    let connections = 0;
    const web = http.createServer((_request, response) => response.end('x'));
    web.on('connection', () => {
      connections += 1;
    });
    await carrier.serve(web);
    const options = target(carrier, { keepAlive: true });
    const reused: boolean[] = [];
    for (let requests = 0; requests < 4; requests += 1) {
      const request = http.get(options);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      await text(response);
      await turns(2);
      reused.push(request.reusedSocket);
    }
    return { connections, reused };
  },
  { connections: 1, reused: [false, true, true, true] },
);

twins(
  'keepAlive: a connection that the server has ended is not used again',
  async (carrier) => {
    const web = http.createServer((_request, response) => response.end('x'));
    await carrier.serve(web);
    const options = target(carrier, { keepAlive: true });
    const answers: Array<number | undefined> = [];
    for (let requests = 0; requests < 3; requests += 1) {
      answers.push((await ask(options)).status);
      await turns();
      web.closeAllConnections();
      await turns();
    }
    return answers;
  },
  [200, 200, 200],
);

twins(
  'keepAlive: a free connection that waits for longer than the timeout is ended',
  async (carrier) => {
    let closed = 0;
    const web = http.createServer((_request, response) => response.end('x'));
    web.on('connection', (socket: net.Socket) => socket.on('close', () => (closed += 1)));
    await carrier.serve(web);
    const options = target(carrier, { keepAlive: true, timeout: 30 });
    await ask(options);
    await until(() => closed === 1);
    return Object.keys(options.agent.freeSockets);
  },
  [],
);

twins(
  'a destroyed request ends its connection, and a queued request takes its place',
  async (carrier) => {
    let closed = 0;
    const web = http.createServer((request, response) => {
      if (request.url === '/second') response.end('second');
      else response.on('close', () => (closed += 1));
    });
    await carrier.serve(web);
    const options = target(carrier, { maxSockets: 1 });
    const first = http.get({ ...options, path: '/first' });
    const failed = once(first, 'error').then(([error]) => (error as NodeJS.ErrnoException).code);
    failed.catch(() => {});
    await once(web, 'request');
    const second = ask({ ...options, path: '/second' });
    first.destroy();
    const answer = (await second).body;
    await until(() => closed === 1);
    return { answer, error: await failed };
  },
  { answer: 'second', error: 'ECONNRESET' },
);

for (const where of ['the request', 'the agent'] as const) {
  twins(
    `a silent server: "timeout", by the option of ${where}`,
    async (carrier) => {
      await carrier.serve(http.createServer(() => {}));
      const options = where === 'the agent' ? target(carrier, { timeout: 20 }) : { ...target(carrier), timeout: 20 };
      const request = http.get(options).on('error', () => {});
      await once(request, 'timeout');
      request.destroy();
      return request.destroyed;
    },
    true,
  );
}

twins(
  'when the other side is gone, every request fails, also the queued ones',
  async (carrier) => {
    const web = http.createServer(() => {});
    await carrier.serve(web);
    const options = target(carrier, { maxSockets: 1, keepAlive: true });
    let failures = 0;
    const ask = (): http.ClientRequest => http.get(options).on('error', () => (failures += 1));
    const served = once(web, 'request');
    await once(ask(), 'socket');
    for (let requests = 1; requests < 10; requests += 1) ask();
    await served;
    carrier.fail();
    await until(() => failures === 10);
    return failures;
  },
  10,
);

twins(
  'a request that is aborted at once never gets a connection',
  async (carrier) => {
    await carrier.serve(http.createServer((_request, response) => response.end('x')));
    const options = target(carrier);
    const request = http.get({ ...options, signal: AbortSignal.abort() });
    const [error] = (await once(request, 'error')) as [Error];
    return { error: error.name, next: (await ask(options)).status };
  },
  { error: 'AbortError', next: 200 },
);

twins(
  'a connection gets its request at once: "socket" is emitted in the next tick, with a connecting socket',
  async (carrier) => {
    await carrier.serve(http.createServer((_request, response) => response.end('x')));
    const request = http.get(target(carrier));
    const [socket] = (await once(request, 'socket')) as [net.Socket];
    const { connecting } = socket;
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    return { connecting, answer: await text(response) };
  },
  { connecting: true, answer: 'x' },
);

twins(
  'https with an agent: TLS inside the connection',
  async (carrier) => {
    await carrier.serve(https.createServer({ cert, key }, (_request, response) => response.end('secure')));
    const { agent, ...where } = carrier.http();
    // Over TCP an agent serves only one scheme.
    const over = carrier.session ? agent : new https.Agent();
    const request = https.get({ ...where, agent: over, ca: cert, servername: NAME });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    return text(response);
  },
  'secure',
);

twins(
  'an upgrade by http.request(): the socket is the connection',
  async (carrier) => {
    const web = http.createServer();
    web.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst ');
      socket.pipe(socket);
    });
    await carrier.serve(web);
    const request = http.get({ ...target(carrier), headers: { Connection: 'Upgrade', Upgrade: 'echo' } });
    const [, socket, head] = (await once(request, 'upgrade')) as [http.IncomingMessage, net.Socket, Buffer];
    socket.unshift(head);
    socket.end('second');
    return text(socket);
  },
  'first second',
);
