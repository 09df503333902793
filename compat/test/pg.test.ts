// pg: it calls connect(port, host) on the stream that it is given, and waits for 'connect'.

import { once } from 'node:events';
import type net from 'node:net';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { BYE, postgresServer } from './support/postgres-server.ts';
import { twins } from './support/twins.ts';

/** pg calls connect() on its stream. This implements it. */
function asPgWants(socket: net.Socket): net.Socket {
  return Object.assign(socket, { connect: () => socket });
}

/** An open stream emits no 'connect', so this emits it. */
function alreadyConnected(socket: net.Socket): net.Socket {
  const connect = (): net.Socket => {
    process.nextTick(() => socket.emit('connect'));
    return socket;
  };
  return Object.assign(socket, { connect });
}

async function client(stream: net.Socket): Promise<pg.Client> {
  const connecting = new pg.Client({ user: 'me', database: 'test', stream: () => stream });
  connecting.on('error', () => {});
  onTestFinished(() => void connecting.end().catch(() => {}));
  await connecting.connect();
  return connecting;
}

twins(
  'queries in a row, a result of 20,000 rows, and end()',
  async (carrier) => {
    await carrier.serve(postgresServer());
    const socket = await carrier.dial();
    const connection = await client(alreadyConnected(socket));
    const rows: number[] = [];
    for (const count of [1, 20_000, 0]) rows.push((await connection.query(`SELECT ${count}`)).rows.length);
    const closed = once(socket, 'close');
    await connection.end();
    await closed;
    return rows;
  },
  [1, 20_000, 0],
);

twins(
  'when the server ends the connection during a query, the query fails',
  async (carrier) => {
    await carrier.serve(postgresServer());
    const connection = await client(alreadyConnected(await carrier.dial()));
    return connection.query(BYE).then(String, (error: Error) => error.message);
  },
  'Connection terminated unexpectedly',
  { allowHalfOpen: false },
);

twins(
  'on a connection that is still connecting',
  async (carrier) => {
    await carrier.serve(postgresServer());
    const connection = await client(asPgWants(carrier.connect()));
    return (await connection.query('SELECT 2')).rows.length;
  },
  2,
  { allowHalfOpen: false },
);
