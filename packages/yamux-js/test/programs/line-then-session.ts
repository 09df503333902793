// A dev tunnel: the server tells a public address as a line of text, and from there on the connection is a session, on which it opens a stream
// for each request.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { server } from '@zishuo/yamux';
import { QUIET, type YamuxJs } from '../support/implementations.ts';
import { dialed, listening } from '../support/links.ts';
import { readLine } from '../support/reading.ts';

interface Answer {
  readonly answer: string;
  /** Whether the server hears that the answer is whole. */
  readonly hasEnded: boolean;
}

export interface Seen extends Answer {
  readonly address: string;
  readonly isClosed: boolean;
}

/** The server: tells the address, and then asks for something. */
async function serve(socket: Socket): Promise<Answer> {
  socket.write('abc.tunnel.example\n');
  const session = server(socket, { keepAliveInterval: 0 });
  session.on('error', () => {});
  const stream = (await session.open()).on('error', () => {});
  stream.write(`${JSON.stringify({ Method: 'GET', Path: '/hello' })}\n`);
  const { line } = await readLine(stream);
  // Behind the answer on the connection is the end of the stream, if any.
  await session.ping();
  return { answer: line, hasEnded: stream.readableEnded };
}

export async function lineThenSession({ Session }: YamuxJs): Promise<Seen> {
  let answered: (seen: Answer) => void;
  const served = new Promise<Answer>((resolve) => {
    answered = resolve;
  });
  const port = await listening((socket) => void serve(socket).then(answered));

  const socket = dialed(port);
  await once(socket, 'connect');
  const { line, rest } = await readLine(socket);
  const session = new Session(true, QUIET, (stream) => {
    void readLine(stream).then((request) => {
      const { Path } = JSON.parse(request.line) as { Path: string };
      stream.end(`${JSON.stringify({ Status: 200, Body: `you asked for ${Path}` })}\n`);
    });
  });
  if (rest.length > 0) session.write(rest);
  socket.pipe(session);
  session.pipe(socket);
  session.on('error', () => {});

  const seen = await served;
  session.close();
  socket.destroy();
  return { address: line, ...seen, isClosed: session.isClosed() };
}
