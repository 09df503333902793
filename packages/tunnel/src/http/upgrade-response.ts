// A response for a request with which node:http is through: it hands over 'upgrade' and 'connect' with a bare socket. A refusal is an
// answer like any other, so it is given by the same code.
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
  socket.setTimeout(0); // the server's own, from when it waited for this request
  socket.on('drain', () => response.emit('drain')); // node:http listens no more, and a long answer would stop for ever
  response.once('finish', () => socket.destroySoon());
  response.assignSocket(socket as unknown as Socket);
  return response;
}

/** Takes the socket back: what is written to it from now on is no part of the response. */
export function detach(response: ServerResponse, { socket }: UpgradeRequest): void {
  response.detachSocket(socket as unknown as Socket);
}
