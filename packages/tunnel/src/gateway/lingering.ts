// How a connection closes behind its last answer. Where bytes of the client are unread at a close, the system makes a reset of it, which overtakes
// the answer (RFC 9112 §9.6). So the connection is ended in its own direction only, and what still comes is read and forgotten, in bounds.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds that a client has to end its side, or to send the rest of a request that was answered before it was whole. */
const LINGER = 5_000;
/** Bytes that are read meanwhile of what nobody has asked for. */
const LINGER_BYTES = 16 * 1024 * 1024;
/** Bytes of the rest of such a request, behind which the connection is as good as before. */
const REST_BYTES = 64 * 1024 * 1024;

/** Whoever closes the connection behind an answer, as node:http does by destroySoon(), closes it so. `lingering`: those that are closing. */
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

/** Nobody parses what comes any more; that the client leaves is still noticed. More than LINGER_BYTES end the connection. */
export function discard(socket: Socket): void {
  socket.removeAllListeners('data');
  listen(socket, counter(socket, LINGER_BYTES));
  socket.resume();
}

/**
 * The parser of node:http reads below the socket, and gives that back to whoever listens for 'data'. Where it had stopped reading, for a body that
 * nobody took, the socket believes that it reads: it would stand still, also when it is resumed.
 */
function listen(socket: Socket, onData: (chunk: Buffer) => void): void {
  socket.on('data', onData);
  socket._read(0);
}

/** A client that goes on sending behind its answer has a while to come to the end of its request. */
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

/** Ends the connection when its time is over, unless what is returned is called before. */
function limit(socket: Socket): () => void {
  const timer = setTimeout(() => socket.destroy(), LINGER).unref();
  const lift = (): void => {
    clearTimeout(timer);
    socket.off('close', lift); // a connection that is kept may need many such whiles
  };
  socket.once('close', lift);
  return lift;
}
