// Distinguishes a reset from an end. If the last bytes and a reset arrive in one poll, libuv reports the bytes and then an end, as after FIN. A truncated
// message that is delimited by the end of the connection would look complete. The kernel knows: a socket that was reset has no peer.
import type { Socket } from 'node:net';

const brokenOff = new WeakSet<object>();

/** Must be called before anything is read from the socket, and before its remoteAddress is read, because Node caches it. */
export function watchEnd(socket: Socket): void {
  socket.prependOnceListener('end', () => {
    // Only TCP sockets have a peer address, and its absence means a reset only here, while the handle is open. After FIN of both sides it is absent too.
    if (!socket.writableEnded && socket.localPort !== undefined && socket.remotePort === undefined)
      brokenOff.add(socket);
  });
}

/** Of a watched socket: its 'end' was none. */
export function wasBrokenOff(connection: object): boolean {
  return brokenOff.has(connection);
}
