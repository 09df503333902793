// Closes a connection after its last response. If the client's bytes are unread at the close, the system sends a reset, which can overtake the response
// (RFC 9112 §9.6). So only our direction is ended, and the remaining input is read and dropped, within limits.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds that a client has to end its side, or to send the rest of a request that was answered before it was whole. */
const LINGER = 5_000;
/** The limit of unrequested bytes that are read meanwhile. */
const LINGER_BYTES = 16 * 1024 * 1024;
/** The limit of remaining request bytes that are read so that the connection can be reused. */
const REST_BYTES = 64 * 1024 * 1024;

/** Lets destroySoon(), which node:http calls after the last response, linger. `lingering`: the connections that are closing. */
export function lingersAtClose(socket: Socket, lingering: Set<Socket>): void {
  const destroySoon = socket.destroySoon;
  socket.destroySoon = () => {
    if (lingering.has(socket)) return;
    if (socket.destroyed || socket.readableEnded) {
      destroySoon.call(socket);
      return;
    }
    lingering.add(socket);
    socket.once('close', () => lingering.delete(socket));
    socket.end();
    discard(socket);
    socket.once('end', () => destroySoon.call(socket));
    limit(socket);
  };
}

/** Input is no longer parsed, but the end of the connection is still noticed. More than LINGER_BYTES end it. */
export function discard(socket: Socket): void {
  socket.removeAllListeners('data');
  listen(socket, counter(socket, LINGER_BYTES));
  socket.resume();
}

/**
 * The parser of node:http reads below the socket, and hands reading back to a 'data' listener. If the parser had stopped reading, because nobody read
 * a body, the socket believes that it still reads: it would get nothing, even after resume().
 */
function listen(socket: Socket, onData: (chunk: Buffer) => void): void {
  socket.on('data', onData);
  socket._read(0);
}

/** A client that still sends after its response has some time to finish its request. */
export function awaitRest(socket: Socket, request: IncomingMessage): void {
  const lift = limit(socket);
  const count = counter(socket, REST_BYTES);
  listen(socket, count);
  request.once('end', () => {
    lift();
    socket.off('data', count);
  });
}

function counter(socket: Socket, most: number): (chunk: Buffer) => void {
  let left = most;
  return (chunk) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  };
}

/** Ends the connection after its time, unless the returned function is called before. */
function limit(socket: Socket): () => void {
  const timer = setTimeout(() => socket.destroy(), LINGER).unref();
  const lift = (): void => {
    clearTimeout(timer);
    socket.off('close', lift); // a kept-alive connection may get many of these listeners
  };
  socket.once('close', lift);
  return lift;
}
