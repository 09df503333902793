// A request with an Upgrade that is not carried on. Whoever does not upgrade answers as if nobody had asked (RFC 9110 §7.8); but once a
// server of node:http listens to 'upgrade', it gives up every connection on which one is asked for. So the request is put back in front of
// what its connection has still to say, without its Upgrade, and the server begins with it anew.
import type { IncomingMessage, Server } from 'node:http';
import type { Connection } from './connection.ts';

/**
 * HTTP/2 over plain TCP, which nobody behind the tunnel would get to see: Java's HttpClient asks for it with every first request, and
 * curl --http2. And any request with a body, which would have to be told from what comes after it.
 */
export function ignoresUpgrade({ headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return hasBody || headers.upgrade?.trim().toLowerCase() === 'h2c';
}

export function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Connection, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, value] = [rawHeaders[index] as string, rawHeaders[index + 1] as string];
    if (name.toLowerCase() !== 'upgrade') text += `${name}: ${value}\r\n`;
  }
  // latin1 is how node:http has read it: byte for byte.
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}
