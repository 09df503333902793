// The origin: /bytes/N responds with N bytes, /count with the number of bytes in the request. Like bench/go-http/origin.go.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tell } from './messages.ts';

const PIECE = Buffer.alloc(65_536);

/** Prints its port. The process ends at the end of stdin. */
export function serveOrigin(): void {
  const server = createServer({ keepAliveTimeout: 60_000 }, answer);
  server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }));
  process.stdin.on('end', () => process.exit()).resume();
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [, size] = /^\/bytes\/(\d+)$/.exec(request.url ?? '') ?? [];
  if (size === undefined) {
    let received = 0;
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    request.on('end', () => {
      const text = String(received);
      response.writeHead(200, { 'Content-Length': text.length }).end(text);
    });
    return;
  }
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': size });
  let left = Number(size);
  const write = (): void => {
    while (left > 0) {
      const piece = PIECE.subarray(0, left);
      left -= piece.length;
      if (!response.write(piece)) return;
    }
    response.off('drain', write).end();
  };
  response.on('drain', write);
  write();
}
