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

/** The answer to such a request. The socket closes after it, unless detach() takes it back before that. */
export function upgradeResponse(request: IncomingMessage, { socket }: UpgradeRequest): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  socket.setTimeout(0); // the server's own, from when it waited for this request
  socket.on('error', () => {}); // node:http has taken its listener away; 'close' follows and tells enough
  socket.on('drain', () => response.emit('drain')); // and this one, without which a long answer would stop for ever
  response.once('finish', () => socket.destroySoon());
  if ('_httpMessage' in socket && socket._httpMessage !== null && socket._httpMessage !== undefined) {
    socket.destroy(); // pipelined behind a request that is not answered yet
    response.destroy();
  } else response.assignSocket(socket as unknown as Socket);
  return response;
}

/** Takes the socket back: what is written to it from now on is no part of the response. */
export function detach(response: ServerResponse, { socket }: UpgradeRequest): void {
  response.detachSocket(socket as unknown as Socket);
}
