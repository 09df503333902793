// How a connection ended for who reads it. Where data and a reset come in one poll, libuv gives data and an end, and node:net tells of no
// error: a reset looks like FIN. The kernel knows better, as long as we have not ended ourselves.
import type { Socket } from 'node:net';

export type End = 'FIN' | 'RST';

/** At 'end' of a socket whose address nobody has asked for, and which has not been ended by us. */
export function endOf(socket: Socket): End {
  return socket.remoteAddress === undefined ? 'RST' : 'FIN';
}

/** For a socket that ends first: read byte by byte, libuv looks again before it tells of an end. */
export const BYTE_BY_BYTE = 1;
