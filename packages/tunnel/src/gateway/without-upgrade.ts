// Handles a request for an upgrade that the gateway does not support. A server that does not upgrade answers as if the field were absent (RFC 9110 §7.8).
// But a server of node:http with an 'upgrade' listener detaches every connection with such a request. So the request, without its Upgrade, is put back
// in front of the connection's remaining input and parsed again. This is possible only while no response is in progress, because two parsers would
// both use the connection.
import type { IncomingMessage } from 'node:http';
import type { UpgradeRequest } from '../http/upgrade-response.ts';

/**
 * HTTP/2 over plain TCP, which cannot pass the tunnel: Java's HttpClient and curl --http2 ask for it with the first request. Any request with a
 * body, because the body would have to be separated from the bytes after it. And HTTP/1.0, whose Upgrade must be ignored (RFC 9110 §7.8).
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
  // node:http has read the head as latin1, byte for byte.
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
}
