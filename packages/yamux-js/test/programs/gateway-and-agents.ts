// A gateway that reaches services behind NAT: their agents dial it by WebSocket, and for each request it opens a stream to one of them, which
// pipes it to its service.

import http from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { createWebSocketStream, type WebSocket } from 'ws';
import { QUIET, type YamuxJs } from '../support/implementations.ts';
import { webSockets } from '../support/links.ts';
import { readUntil } from '../support/reading.ts';

export interface Seen {
  readonly answers: readonly number[];
  /** Whether the gateway hears that the service has closed its connection. */
  readonly hasEnded: boolean;
}

const HEAD = 500;
const BODY: Buffer = Buffer.alloc(100_000, 'body');

function agentOf(socket: WebSocket, { Server }: YamuxJs, port: number): void {
  const session = new Server((stream) => {
    const local = connect(port, '127.0.0.1', () => {
      stream.pipe(local).pipe(stream);
    });
    stream.on('end', () => local.end());
  }, QUIET);
  session.on('error', () => {});
  const duplex = createWebSocketStream(socket);
  session.pipe(duplex).pipe(session);
}

export async function gatewayAndAgents(yamux: YamuxJs): Promise<Seen> {
  const service = http.createServer((_request, response) => {
    response.writeHead(200, { 'Content-Length': BODY.length, 'X-Filler': 'x'.repeat(HEAD), Connection: 'close' });
    response.end(BODY);
  });
  service.listen(0, '127.0.0.1');
  onTestFinished(() => {
    service.closeAllConnections();
    service.close();
  });
  const { near, far } = await webSockets();
  agentOf(near, yamux, (service.address() as AddressInfo).port);

  const client = new yamux.Client(QUIET);
  client.on('error', () => {});
  const duplex = createWebSocketStream(far);
  client.pipe(duplex).pipe(client);
  const ask = async (): Promise<{ stream: Duplex; bytes: number }> => {
    const stream = client.open();
    stream.write('GET / HTTP/1.1\r\nHost: inside.example\r\n\r\n');
    const answer = await readUntil(stream, BODY.length + HEAD);
    return { stream, bytes: answer.length - answer.indexOf('\r\n\r\n') - 4 };
  };
  const first = await ask();
  // The end of the first answer was sent before the second was asked for.
  const second = await ask();
  const seen = { answers: [first.bytes, second.bytes], hasEnded: first.stream.readableEnded };
  client.close();
  return seen;
}
