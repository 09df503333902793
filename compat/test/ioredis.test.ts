// ioredis: it listens only for 'close', so its connections must end as sockets do by default, and not stay half-open.

import type net from 'node:net';
import { AbstractConnector, Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { Carrier } from './support/carrier.ts';
import { redisServer } from './support/redis-server.ts';
import { twins, until } from './support/twins.ts';

/** How long ioredis waits for the 'close' of a connection that it has ended, in ms. */
const DISCONNECT_TIMEOUT = 50;

/** A client that gets its connections from `connect`. */
function client(connect: () => net.Socket | Promise<net.Socket>): Redis {
  class Connector extends AbstractConnector {
    constructor() {
      super(DISCONNECT_TIMEOUT);
    }

    override async connect(): Promise<net.Socket> {
      this.stream = await connect();
      return this.stream;
    }
  }
  const redis = new Redis({ Connector, enableReadyCheck: false, protocol: 2, retryStrategy: () => 1 });
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function serve(carrier: Carrier): Promise<Set<net.Socket>> {
  const { server, connections } = redisServer();
  await carrier.serve(server);
  return connections;
}

twins(
  '1,000 commands in a pipeline, and a value of 1 MB',
  async (carrier) => {
    await serve(carrier);
    const redis = client(() => carrier.dial());
    const sets = Array.from({ length: 1000 }, (_, at) => redis.set(`key ${at}`, `value ${at}`));
    await Promise.all(sets);
    const large = 'x'.repeat(1_000_000);
    await redis.set('large', large);
    return [await redis.get('key 999'), (await redis.get('large')) === large];
  },
  ['value 999', true],
);

twins(
  'when the server ends its connection, the next command uses a new one',
  async (carrier) => {
    const connections = await serve(carrier);
    const redis = client(() => carrier.dial());
    await redis.set('key', 'value');
    const reconnecting = new Promise((resolve) => redis.once('reconnecting', resolve));
    for (const connection of connections) connection.end();
    await reconnecting;
    return redis.get('key');
  },
  'value',
  { allowHalfOpen: false },
);

twins(
  'QUIT ends the connection at both sides',
  async (carrier) => {
    const connections = await serve(carrier);
    const redis = client(() => carrier.dial());
    await redis.set('key', 'value');
    const ended = new Promise((resolve) => redis.once('end', resolve));
    await redis.quit();
    await ended;
    await until(() => connections.size === 0);
    return redis.status;
  },
  'end',
  { allowHalfOpen: false },
);

twins(
  'on a connection that is still connecting',
  async (carrier) => {
    await serve(carrier);
    return client(() => carrier.connect()).set('key', 'value');
  },
  'OK',
  { allowHalfOpen: false },
);
