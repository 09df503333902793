// How a socket came to its end. Where the last bytes and a reset arrive in one poll, libuv reports the bytes and then an end, as if the other
// side had sent FIN; for a message that the end of the connection delimits, this makes a whole one of half of it. The kernel knows: a socket
// that was reset has no peer any more.
import type { Socket } from 'node:net';

const brokenOff = new WeakSet<object>();

/** Before anything is read from the socket, and before its remoteAddress was asked for, which Node remembers. */
export function watchEnd(socket: Socket): void {
  socket.prependOnceListener('end', () => {
    // Only TCP has one, and only here, while the handle is open, does its absence mean that. Where both sides have sent FIN it is gone, too.
    if (!socket.writableEnded && socket.localPort !== undefined && socket.remotePort === undefined)
      brokenOff.add(socket);
  });
}

/** Of a watched socket: its 'end' was none. */
export function wasBrokenOff(connection: object): boolean {
  return brokenOff.has(connection);
}
