// Creates a response for a request of 'upgrade' or 'connect', for which node:http passes only a bare socket. So the same code can answer these requests
// as any other.
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';

/** What an 'upgrade' or 'connect' event of a server brings. */
export interface UpgradeRequest {
  readonly socket: Connection;
  /** What the client has sent behind its request already. */
  readonly head: Buffer;
}

/** The answer to such a request, on whose connection no other is under way. The socket closes after it, unless detach() takes it back. */
export function upgradeResponse(request: IncomingMessage, { socket }: UpgradeRequest): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  socket.setTimeout(0); // removes the timeout that the server set while it waited for this request
  socket.on('drain', () => response.emit('drain')); // node:http no longer listens, and a long response would stop for ever
  response.once('finish', () => socket.destroySoon());
  response.assignSocket(socket as unknown as Socket);
  return response;
}

/** Detaches the socket from the response: further bytes on it are not part of the response. */
export function detach(response: ServerResponse, { socket }: UpgradeRequest): void {
  response.detachSocket(socket as unknown as Socket);
}
