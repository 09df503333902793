// A request that asks for another protocol which is not carried on. Whoever does not upgrade answers as if nobody had asked (RFC 9110 §7.8); but
// once a server of node:http listens to 'upgrade', it gives up every connection on which one is asked for. So the request is put back in front
// of what its connection has still to say, without its Upgrade, to be parsed anew. Only where no answer is under way: two parsers would each
// think that the connection is theirs.
import type { IncomingMessage } from 'node:http';
import type { UpgradeRequest } from '../http/upgrade-response.ts';

/**
 * HTTP/2 over plain TCP, which nobody behind the tunnel would get to see: Java's HttpClient asks for it with every first request, and
 * curl --http2. Any request with a body, which would have to be told from what comes after it. And HTTP/1.0, whose Upgrade must be ignored
 * (RFC 9110 §7.8).
 */
export function ignoresUpgrade({ headers, httpVersion }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return hasBody || httpVersion === '1.0' || headers.upgrade?.trim().toLowerCase() === 'h2c';
}

export function putBack(request: IncomingMessage, { socket, head }: UpgradeRequest): void {
  const { method, url, httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, value] = [rawHeaders[index] as string, rawHeaders[index + 1] as string];
    if (name.toLowerCase() !== 'upgrade') text += `${name}: ${value}\r\n`;
  }
  // latin1 is how node:http has read it: byte for byte.
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
}
