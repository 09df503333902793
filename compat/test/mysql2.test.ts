// mysql2: the package has a client and a server. It detects the end of a connection by 'close'.

import type { EventEmitter } from 'node:events';
import net from 'node:net';
import mysql, { type Connection, type RowDataPacket } from 'mysql2';
import { onTestFinished } from 'vitest';
import type { Carrier } from './support/carrier.ts';
import { twins } from './support/twins.ts';

/** Answers SELECT n with n rows, and ends the connection at BYE. */
async function serve(carrier: Carrier): Promise<void> {
  const server = net.createServer((socket) => {
    // The server of mysql2 would listen on a port. This does the same with each connection.
    const connection = mysql.createConnection({ stream: socket, isServer: true } as mysql.ConnectionOptions);
    connection.on('error', () => {});
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.0.0',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xffffff ^ 0x800 ^ 0x20,
    });
    // The types of mysql2 have only the events of a client.
    const asServer: EventEmitter = connection;
    asServer.on('query', (query: string) => {
      // The packets of a response are numbered from the query's number on; the server of mysql2 leaves that to its user.
      Object.assign(connection, { sequenceId: 1 });
      if (query === 'BYE') {
        socket.end();
        return;
      }
      const rows = Array.from({ length: Number(query.slice('SELECT '.length)) }, (_, n) => ({ n: `${n}` }));
      const column = { name: 'n', characterSet: 33, columnLength: 100, columnType: 253, flags: 0, decimals: 0 };
      connection.writeTextResult(rows, [
        { catalog: 'def', schema: '', table: '', orgTable: '', orgName: 'n', ...column },
      ]);
    });
    asServer.on('quit', () => socket.end());
  });
  await carrier.serve(server);
}

function client(stream: net.Socket): Connection {
  const connection = mysql.createConnection({ stream, user: 'me', password: '', database: 'test' });
  connection.on('error', () => {});
  onTestFinished(() => connection.destroy());
  return connection;
}

async function rows(connection: Connection, count: number): Promise<number | string> {
  return new Promise((resolve) => {
    connection.query<RowDataPacket[]>(`SELECT ${count}`, (error, found) => {
      resolve(error ? `${error.code}` : found.length);
    });
  });
}

twins(
  'queries in a row, and a result of 2,000 rows',
  async (carrier) => {
    await serve(carrier);
    const connection = client(await carrier.dial());
    return Promise.all([rows(connection, 1), rows(connection, 2000), rows(connection, 0)]);
  },
  [1, 2000, 0],
);

twins(
  'when the server ends the connection during a query, the query fails',
  async (carrier) => {
    await serve(carrier);
    const connection = client(await carrier.dial());
    await rows(connection, 1);
    return new Promise((resolve) => connection.query('BYE', (error) => resolve(error?.code)));
  },
  'PROTOCOL_CONNECTION_LOST',
  { allowHalfOpen: false },
);

twins(
  'end() waits for pending results, and closes',
  async (carrier) => {
    await serve(carrier);
    const socket = await carrier.dial();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const connection = client(socket);
    const answer = rows(connection, 3);
    connection.end();
    await closed;
    return answer;
  },
  3,
  { allowHalfOpen: false },
);

twins(
  'on a connection that is still connecting',
  async (carrier) => {
    await serve(carrier);
    return rows(client(carrier.connect()), 1);
  },
  1,
  { allowHalfOpen: false },
);
