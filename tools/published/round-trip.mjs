// Every package in use over real sockets, with a copy of it at each end of the connection: `node round-trip.mjs esm cjs` has the near end as
// an ES module and the far one as CommonJS. Copies share no class, so what they tell each other has to be told without.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

const require = createRequire(import.meta.url);
const load = { esm: (name) => import(name), cjs: async (name) => require(name) };
const systems = process.argv.slice(2);
const [near, far] = await Promise.all(
  systems.map(async (system) => ({
    ...(await load[system]('@zishuo/yamux')),
    http: await load[system]('@zishuo/yamux/http'),
    webSocket: await load[system]('@zishuo/yamux-websocket'),
    balancer: await load[system]('@zishuo/yamux-balancer'),
    prometheus: await load[system]('@zishuo/yamux-balancer/prometheus'),
    testing: await load[system]('@zishuo/yamux-balancer/testing'),
  })),
);

const PAYLOAD = randomBytes(1_000_000);
const echo = (stream) => pipeline(stream, stream);

async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

async function echoed(open) {
  const stream = await open();
  assert.deepEqual(await buffer(stream.end(PAYLOAD)), PAYLOAD);
}

async function overTcp() {
  const listener = createServer();
  const port = await listening(listener);
  const budget = new near.WindowBudget(2 ** 24);
  const session = near.client(connect(port, '127.0.0.1'), { windowBudget: budget });
  const [socket] = await once(listener, 'connection');
  const other = far.server(socket, { windowBudget: budget });
  other.on('stream', echo);
  await Promise.all([1, 2, 3].map(() => echoed(() => session.open())));
  assert.equal(typeof (await session.ping()), 'number');

  other.off('stream', echo);
  const [stream, accepted] = await Promise.all([session.open(), other.accept()]);
  accepted.reset(7);
  const [error] = await once(stream, 'error');
  assert.deepEqual(
    [error.code, error.scope, error.origin, error.errorCode],
    ['ERR_YAMUX_STREAM_RESET', 'stream', 'remote', 7],
  );

  const web = createHttpServer((incoming, response) => pipeline(incoming, response));
  far.http.serveHttp(web, other);
  const agent = near.http.httpAgent(session);
  const asked = request({ host: 'far.example', method: 'POST', agent }).end('over HTTP');
  const [response] = await once(asked, 'response');
  assert.equal(await text(response), 'over HTTP');
  agent.destroy();

  await session.close();
  assert.equal(session.errored, null);
  listener.close();
}

async function poolOverWebSockets() {
  const web = createHttpServer();
  far.webSocket.acceptUpgrades(web, {
    path: '/connect',
    authenticate: ({ headers }) => headers.authorization === 'Bearer secret',
    onSession: (session) => session.on('stream', echo),
  });
  const url = `ws://127.0.0.1:${await listening(web)}/connect`;
  await assert.rejects(near.webSocket.dial(url), { code: 'ERR_YAMUX_WEBSOCKET_REFUSED', status: 401 });

  const { Registry } = await load.esm('prom-client');
  const registry = new Registry();
  const pool = new near.balancer.SessionPool({ strategy: 'least-conn' });
  // The metrics of one copy, the pool of another.
  far.prometheus.registerPoolMetrics(registry, pool);
  const headers = { Authorization: 'Bearer secret' };
  const dialed = await Promise.all([near, far].map((end) => end.webSocket.dial(url, { headers })));
  for (const [index, session] of dialed.entries()) pool.add(session, { key: `s${index}` });
  await Promise.all([1, 2, 3, 4].map(() => echoed(() => pool.open({}, { acknowledged: true }))));
  assert.deepEqual(
    pool.stats().sessions.map(({ openAttempts }) => openAttempts),
    [2, 2],
  );
  assert.match(await registry.metrics(), /^yamux_pool_sessions{.*"available".*} 2$/m);

  const { done } = pool.drainSession('s0');
  assert.equal((await done).remaining, 0);
  await dialed[1].close();
  await assert.rejects(pool.open(), { code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION' });
  await pool.close();
  await dialed[0].close();
  web.close();
}

async function poolOfFakes() {
  const clock = new far.testing.ManualClock();
  const random = far.testing.seededRandom(1);
  const pool = new near.balancer.SessionPool({ clock, random });
  pool.add(new far.testing.FakeSession().answers());
  const stream = await pool.open();
  assert.equal(pool.stats({ sessions: false }).activeStreams, 1);
  stream.destroy();
  await once(stream, 'close');
  assert.equal(pool.stats({ sessions: false }).activeStreams, 0);
}

await overTcp();
await poolOverWebSockets();
await poolOfFakes();
console.log(`round trip: ${systems.join(' and ')}, Node ${process.version}`);
