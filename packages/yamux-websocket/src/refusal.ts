// Refuses an upgrade: writes a whole HTTP response to the raw socket, then ends the socket. If the socket were destroyed at once, the response
// would be lost, and the client would see only a lost connection.

import {
  type IncomingMessage,
  type Server,
  ServerResponse,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemClock } from '@zishuo/yamux';
import { UpgradeRefusedError } from './errors.ts';

/** The socket is destroyed if the client has not closed it after this time, in milliseconds. */
const LINGER = 5_000;
/** Bytes that are read meanwhile, and forgotten. */
const LINGER_BYTES = 1_048_576;

export function refuseUpgrade(socket: Duplex, refusal: UpgradeRefusedError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const timer = systemClock.setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => systemClock.clearTimeout(timer));
  socket.end(responseTo(refusal));
  // Unread bytes would turn the close into a reset, which can overtake the response.
  let left = LINGER_BYTES;
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  socket.resume(); // who waited for the answer may have paused it
}

/** If the application gave a header that cannot be sent, the response is a 500, so that the socket does not stay open. */
function responseTo(refusal: UpgradeRefusedError): string {
  try {
    return response(refusal);
  } catch (cause) {
    process.emitWarning(cause as Error);
    return response(new UpgradeRefusedError(500));
  }
}

function response(refusal: UpgradeRefusedError): string {
  const { status } = refusal;
  const body = refusal.body || `${STATUS_CODES[status] ?? status}\n`;
  const headers = new Map<string, string | readonly string[]>([['content-type', 'text/plain; charset=utf-8']]);
  for (const [name, value] of Object.entries(refusal.headers)) {
    if (value !== undefined) headers.set(name.toLowerCase(), value);
  }
  headers.set('content-length', String(Buffer.byteLength(body)));
  headers.set('connection', 'close');

  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n`;
  for (const [name, values] of headers) {
    validateHeaderName(name);
    for (const value of typeof values === 'string' ? [values] : values) {
      validateHeaderValue(name, value);
      head += `${name}: ${value}\r\n`;
    }
  }
  return `${head}\r\n${body}`;
}

/** 426, for a request on a WebSocket path that asks for another protocol. */
export function upgradeRequired(): UpgradeRefusedError {
  return new UpgradeRefusedError(426, { headers: { upgrade: 'websocket' }, body: 'Expected Upgrade: websocket\n' });
}

/**
 * Serves a request with the 'request' listeners, without the upgrade that it asked for: node:http gives every request for an upgrade to the
 * 'upgrade' listeners. Returns false for a request with a body, because node:http does not read a body from such a socket.
 */
export function serveWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex): boolean {
  const { headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody || server.listenerCount('request') === 0) return false;
  socket.on('error', () => {}); // the client may leave at any time
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false; // the socket has no parser for a next request
  response.assignSocket(socket as Socket);
  response.once('finish', () => socket.end());
  server.emit('request', request, response);
  return true;
}

/** 503 with a Retry-After header. `retryAfter` is in milliseconds. */
export function unavailable(retryAfter: number, body: string): UpgradeRefusedError {
  return new UpgradeRefusedError(503, { headers: { 'retry-after': String(Math.ceil(retryAfter / 1000)) }, body });
}
