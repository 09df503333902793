// A client of FRP: one stream carries messages of a type, a length and JSON; for each visitor the server asks by it for a stream more, which the
// client pipes to the service behind it.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { server } from '@zishuo/yamux';
import { QUIET, type YamuxJs } from '../support/implementations.ts';
import { dialed, listening } from '../support/links.ts';
import { readBytes } from '../support/reading.ts';

const LOGIN = 0x6f;
const LOGIN_RESPONSE = 0x31;
const WANT_WORK = 0x72;
const NEW_WORK = 0x77;
const START_WORK = 0x73;
/** What the visitor says. */
export const VISITOR: string = 'GET / HTTP/1.1 '.repeat(100);

export interface Seen {
  readonly runId: unknown;
  /** What the visitor has back from the service. */
  readonly echoed: string;
  readonly errors: readonly string[];
}

function send(stream: Duplex, type: number, message: object): void {
  const json = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(9);
  head.writeUInt8(type, 0);
  head.writeBigInt64BE(BigInt(json.length), 1);
  stream.write(Buffer.concat([head, json]));
}

async function receive(stream: Duplex): Promise<{ type: number; message: Record<string, unknown> }> {
  const head = await readBytes(stream, 9);
  const json = await readBytes(stream, Number(head.readBigInt64BE(1)));
  return { type: head.readUInt8(0), message: JSON.parse(json.toString()) as Record<string, unknown> };
}

/** The server: lets a client log in, and a visitor say something to what that has behind it. Returns what comes back. */
async function serveVisitor(socket: Socket): Promise<Buffer> {
  const session = server(socket, { keepAliveInterval: 0 });
  session.on('error', () => {});
  const control = (await session.accept()).on('error', () => {});
  await receive(control);
  send(control, LOGIN_RESPONSE, { version: '0.61.0', run_id: 'r1' });
  send(control, WANT_WORK, {});
  const work = (await session.accept()).on('error', () => {});
  await receive(work);
  send(work, START_WORK, { proxy_name: 'web' });
  work.write(VISITOR);
  return readBytes(work, VISITOR.length);
}

export async function frpClient({ Client }: YamuxJs): Promise<Seen> {
  const service = await listening((socket) => void socket.pipe(socket));
  let visited: (echo: Buffer) => void;
  const echoed = new Promise<Buffer>((resolve) => {
    visited = resolve;
  });
  const port = await listening((socket) => void serveVisitor(socket).then(visited));

  const socket = dialed(port);
  await once(socket, 'connect');
  const errors: string[] = [];
  // It gives a handler by an option that yamux-js does not know.
  const config = { ...QUIET, onStream: () => errors.push('a stream of the server') };
  const session = new Client(config);
  socket.pipe(session).pipe(socket);
  session.on('error', (error) => errors.push(error.message));

  const control = session.open();
  control.on('error', (error) => errors.push(error.message));
  send(control, LOGIN, { version: '0.61.0', pool_count: 1 });
  const { message: login } = await receive(control);
  const { type } = await receive(control);
  if (type !== WANT_WORK) errors.push(`message ${type}`);

  const work = session.open();
  work.on('error', (error) => errors.push(error.message));
  send(work, NEW_WORK, { run_id: login.run_id });
  const { type: started } = await receive(work);
  if (started !== START_WORK) errors.push(`message ${started}`);
  const local = dialed(service);
  work.pipe(local);
  local.pipe(work);
  local.on('close', () => work.destroy());
  work.on('close', () => local.destroy());

  const echo = await echoed;
  work.destroy();
  session.close();
  socket.destroy();
  return { runId: login.run_id, echoed: echo.toString(), errors };
}
