// Operations on connections, for sockets and streams alike: resets a connection so that the other side sees it, and joins two connections.
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TunnelError } from '../errors.ts';
import { wasBrokenOff } from './socket-end.ts';
import { WebSocketFrames } from './websocket-frames.ts';

/** A net.Socket or a YamuxStream, which is shaped like one. */
export interface Connection extends Duplex {
  setTimeout(milliseconds: number, callback?: () => void): unknown;
  destroySoon(): void;
}

/** What a socket that is not connected yet emits when it is, with TLS and all. */
export function connectEvent(socket: Duplex): 'connect' | 'secureConnect' {
  return 'encrypted' in socket ? 'secureConnect' : 'connect';
}

/**
 * Milliseconds between the last bytes and a reset. If both come in one poll, a client on libuv sees the reset as an end, which it must not.
 */
const BEHIND_BYTES = 25;
const resetting = new WeakSet<Socket>();

/**
 * Resets the connection with RST. destroy() of a socket would send FIN, which looks like a clean end. For a message without other framing, the end of the
 * connection is the end of the message.
 */
export function reset(connection: Duplex): void {
  if (connection instanceof Socket && !('encrypted' in connection)) {
    if (connection.bytesWritten === 0 || connection.connecting) resetNow(connection);
    else if (!resetting.has(connection)) {
      resetting.add(connection);
      const timer = setTimeout(() => resetNow(connection), BEHIND_BYTES);
      connection.once('close', () => clearTimeout(timer));
    }
    return;
  }
  // A TLS socket cannot reset. But its clean end is a message (close_notify), which destroy() does not send.
  // A stream that was ended would send its FIN first, unless it is destroyed with an error.
  connection.destroy(new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the other side of the tunnel was lost'));
}

function resetNow(socket: Socket): void {
  // A socket that is still connecting would wait for the connection. A socket that has sent FIN cannot be reset: the system refuses after node:net has
  // released the handle, and the descriptor would stay open for ever.
  const isEnding = socket.writableEnded && !socket.writableFinished;
  if (socket.connecting || isEnding) socket.destroy();
  else socket.resetAndDestroy();
}

/** The end of a joined connection, from the view of the client, the near side. */
export type Ending =
  | { readonly kind: 'complete' }
  /** The client has left; the far connection was reset, so that the other side stops too. */
  | { readonly kind: 'abandoned' }
  /** The far connection failed or was idle; the client's connection was reset, so that a truncated message does not look complete. */
  | { readonly kind: 'cut'; readonly error: Error };

export interface Joined {
  readonly ended: Promise<Ending>;
  /**
   * Asks both sides to close, if their protocol supports it: WebSocket close frames with 1001. False if not.
   */
  sendAway(): boolean;
}

/** Milliseconds for the closing handshake of a WebSocket that was sent away. */
const CLOSING = 1_000;
const NOTHING = Buffer.alloc(0);

/**
 * Forwards bytes in both directions until both have ended, including half-closes. If one side fails, or no byte moves for `idleTimeout` ms (0: no
 * limit), both sides are reset.
 */
export function join(near: Connection, far: Connection, idleTimeout: number, isWebSocket = false): Joined {
  let settle!: (ending: Ending) => void;
  const ended = new Promise<Ending>((resolve) => {
    settle = resolve;
  });
  let open = 2;
  const breakOff = (ending: Ending): void => {
    settle(ending);
    reset(near);
    reset(far);
  };
  const watch = (connection: Connection, fail: (error: Error) => void): void => {
    const onClose = (): void => {
      if (!connection.readableEnded || !connection.writableFinished) fail(lost());
      open -= 1;
      if (open === 0) settle({ kind: 'complete' });
    };
    connection.on('error', fail);
    if (connection.destroyed) onClose();
    else connection.once('close', onClose);
  };
  const failNear = (): void => breakOff({ kind: 'abandoned' });
  const failFar = (error: Error): void => breakOff({ kind: 'cut', error });
  watch(near, failNear);
  watch(far, failFar);
  near.setTimeout(0); // the server's timeout for requests would close the connection silently
  // Every byte passes both sides, so one timer is enough.
  far.setTimeout(idleTimeout, () => {
    failFar(new TunnelError('ERR_TUNNEL_IDLE_TIMEOUT', `no byte moved for ${idleTimeout} ms`));
  });
  const [up, down] = isWebSocket ? [new WebSocketFrames(true), new WebSocketFrames(false)] : [];
  carry(near, far, up, failNear);
  carry(far, near, down, () => failFar(lost()));
  return {
    ended,
    sendAway() {
      if (up === undefined || down === undefined) return false;
      const timer = setTimeout(() => breakOff({ kind: 'cut', error: lost() }), CLOSING);
      void ended.then(() => clearTimeout(timer));
      up.sendAway(far);
      down.sendAway(near);
      return true;
    },
  };
}

/** One direction. `broken` is told when what looks like the end of `from` is none. */
function carry(from: Connection, to: Connection, frames: WebSocketFrames | undefined, broken: () => void): void {
  from.on('data', (chunk: Buffer) => {
    if (to.destroyed || to.writableEnded) return;
    const goesOn = frames === undefined ? to.write(chunk) : frames.pass(chunk, to);
    if (!goesOn) from.pause();
  });
  to.on('drain', () => from.resume());
  const onEnd = (): void => {
    if (wasBrokenOff(from)) broken();
    else if (from instanceof Socket && from.writable && !('encrypted' in from)) {
      // A reset right after the last bytes also looks like an end. It makes the next write fail, even an empty one.
      from.write(NOTHING, (error) => (error ? broken() : to.end()));
    } else to.end();
  };
  if (from.readableEnded) process.nextTick(onEnd);
  else from.on('end', onEnd);
  from.resume();
}

function lost(): TunnelError {
  return new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'a connection was closed before it had ended');
}
